// Two engines on the same speech, side by side and in step.

import { $, here, make, seconds, t } from './dom.js';
import { Problem, clear, get, post, tell } from './api.js';
import { keep, missing, request, state } from './state.js';

let timer;
let players = [];

export function start() {
  $('compare-go').addEventListener('click', go);
  $('compare-play').addEventListener('click', together);
  if (state.compare.jobs.length) { $('compare').open = true; look(); }
}

/** Offer the engines that fit the avatar. */
export function offer(engines) {
  $('compare').hidden = engines.length < 2;
  for (const [index, id] of ['compare-one', 'compare-other'].entries()) {
    const select = $(id);
    const chosen = select.value || engines[index]?.name;
    select.replaceChildren(...engines.map((engine) => make('option', { value: engine.name, disabled: !engine.ready,
      text: engine.name + (engine.ready ? '' : ` (${t('engine.missing')})`) })));
    if (engines.some((engine) => engine.name === chosen)) select.value = chosen;
  }
}

async function go() {
  clear('problem-compare');
  const lacks = missing();
  const names = [$('compare-one').value, $('compare-other').value];
  if (lacks || names[0] === names[1] || names.includes('')) {
    tell('problem-compare', new Problem({ message: lacks ? lacks[1] : t('compare.two') }, 0));
    return;
  }
  state.compare.jobs = [];
  try {
    for (const engine of names) {
      const video = await (await post('v1/videos', { ...request(), engine })).json();
      state.compare.jobs.push({ id: video.id, engine });
    }
    keep();
    look();
  } catch (problem) {
    tell('problem-compare', problem);
  }
}

async function look() {
  clearTimeout(timer);
  let videos;
  try {
    videos = await Promise.all(state.compare.jobs.map((job) => get(`v1/videos/${job.id}`)));
  } catch {
    state.compare.jobs = [];
    keep();
    $('compare-shown').hidden = true;
    return;
  }
  $('compare-shown').hidden = false;
  $('compare-play').hidden = videos.some((video) => video.status !== 'completed');
  if ($('compare-videos').dataset.done !== String(videos.map((video) => video.id))) {
    players = [];
    $('compare-videos').replaceChildren(...videos.map((video, index) => {
      const { engine } = state.compare.jobs[index];
      const took = video.ended_at ? seconds(video.ended_at - video.started_at) : `${Math.round(100 * video.progress)} %`;
      const name = make('figcaption', { text: `${engine} · ${took}` });
      if (video.status !== 'completed') return make('figure', {}, make('p', { class: 'blank', text: video.error?.message ?? t(`status.${video.status}`) }), name);
      const player = make('video', { src: here(video.links.content), controls: true, playsInline: true, muted: index > 0, 'aria-label': engine });
      players.push(player);
      return make('figure', {}, player, name);
    }));
    if (videos.every((video) => video.ended_at)) $('compare-videos').dataset.done = String(videos.map((video) => video.id));
  }
  if (videos.some((video) => !video.ended_at)) timer = setTimeout(look, 1000);
}

function together() {
  for (const player of players) { player.currentTime = 0; player.play(); }
}
