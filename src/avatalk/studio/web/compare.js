// Two engines on the same speech, side by side and in step.

import { $, engineName, here, make, savedAs, say, seconds, t } from './dom.js';
import { Problem, clear, get, post, tell } from './api.js';
import { keep, missing, request, state } from './state.js';

const LOOK_EVERY_MS = 1000;
const APART_S = 0.06; // that is seen as out of step

let timer;

export function start() {
  $('compare-go').addEventListener('click', go);
  $('compare-cancel').addEventListener('click', cancel);
  $('compare-play').addEventListener('click', together);
  if (state.compare.jobs.length) { $('compare').open = true; look(); }
}

/** Offer the engines that fit the avatar and are installed, if there are two. */
export function offer(engines) {
  const ready = engines.filter((engine) => engine.ready);
  $('compare').hidden = ready.length < 2;
  let first;
  for (const select of [$('compare-one'), $('compare-other')]) {
    const others = ready.filter((engine) => engine !== first);
    const chosen = others.find((engine) => engine.name === select.value) ?? others[0];
    first ??= chosen;
    select.replaceChildren(...ready.map((engine) => make('option', { value: engine.name, text: engineName(engine), selected: engine === chosen })));
  }
}

async function go() {
  clear('problem-compare');
  const lacks = missing();
  const names = [$('compare-one').value, $('compare-other').value];
  if (lacks || names[0] === names[1]) {
    tell('problem-compare', new Problem({ message: lacks ? lacks[1] : t('compare.two'), code: lacks?.[2] }, 0));
    return;
  }
  $('compare-go').disabled = true;
  state.compare.jobs = [];
  try {
    for (const engine of names) {
      const video = await (await post('v1/videos', { ...request(), engine })).json();
      state.compare.jobs.push({ id: video.id, engine });
    }
    keep();
    await look();
  } catch (problem) {
    tell('problem-compare', problem);
    $('compare-go').disabled = false;
  }
}

async function cancel() {
  try {
    for (const { id } of state.compare.jobs) await post(`v1/videos/${id}/cancel`, {});
  } catch (problem) {
    tell('problem-compare', problem);
  }
}

async function look() {
  clearTimeout(timer);
  const { jobs } = state.compare;
  let videos;
  try {
    videos = await Promise.all(jobs.map((job) => get(`v1/videos/${job.id}`)));
  } catch (problem) {
    if (problem.status === 404) { state.compare.jobs = []; keep(); $('compare-shown').hidden = true; waiting(false); } else timer = setTimeout(look, 2 * LOOK_EVERY_MS); // it may be back soon
    return;
  }
  if (state.compare.jobs !== jobs) return;
  const running = videos.some((video) => !video.ended_at);
  const all = videos.every((video) => video.status === 'completed');
  waiting(running);
  $('compare-shown').hidden = false;
  const box = $('compare-videos');
  for (const [index, video] of videos.entries()) {
    const old = box.children[index];
    const now = `${video.id} ${video.status} ${video.progress}`;
    if (old?.dataset.shows === now) continue;
    const figure = shown(video, jobs[index], index);
    figure.dataset.shows = now;
    if (old) old.replaceWith(figure);
    else box.append(figure);
  }
  if (all && $('compare-play').hidden) { inStep(); say(t('compare.done')); }
  $('compare-play').hidden = !all;
  if (running) timer = setTimeout(look, LOOK_EVERY_MS);
}

function waiting(running) {
  $('compare-go').disabled = running;
  $('compare-cancel').hidden = !running;
}

function shown(video, { engine }, index) {
  const name = engineName({ name: engine });
  const done = video.status === 'completed';
  const took = video.ended_at && video.started_at ? t('compare.took', { time: seconds(video.ended_at - video.started_at) }) : `${Math.round(100 * video.progress)} %`;
  const picture = done ? make('video', { src: here(video.links.content), controls: true, playsInline: true, muted: index > 0, poster: video.links.thumbnail ? here(video.links.thumbnail) : '', 'aria-label': name })
    : make('p', { class: 'blank', text: video.error?.message ?? t(`status.${video.status}`) });
  const link = done && make('a', { class: 'button small', href: savedAs(video.links.content, name), download: '', text: t('library.download'), 'aria-label': `${t('library.download')}: ${name}` });
  return make('figure', {}, picture, make('figcaption', {}, make('span', {}, make('strong', { text: name }), ` ${took}`), link || null));
}

/** Whatever is done to one of both is done to the other: played, paused, sought. */
function inStep() {
  const [one, other] = $('compare-videos').querySelectorAll('video');
  for (const [leads, follows] of [[one, other], [other, one]]) {
    const near = () => { if (Math.abs(follows.currentTime - leads.currentTime) > APART_S) follows.currentTime = leads.currentTime; };
    leads.onplay = () => { near(); follows.play().catch(() => {}); };
    leads.onpause = () => { if (!leads.ended) { follows.pause(); near(); } };
    leads.onseeked = near;
    leads.onratechange = () => { follows.playbackRate = leads.playbackRate; };
  }
  one.ontimeupdate = () => { if (!one.paused && !other.seeking) { if (Math.abs(other.currentTime - one.currentTime) > 2 * APART_S) other.currentTime = one.currentTime; } };
}

function together() {
  const [one, other] = $('compare-videos').querySelectorAll('video');
  for (const player of [one, other]) player.currentTime = 0;
  one.play().catch(() => {});
}
