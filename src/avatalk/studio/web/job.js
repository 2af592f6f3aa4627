// A video that is made: how far it is, how it is stopped, how it plays, and what can be taken home.

import { $, here, make, number, say, seconds, t } from './dom.js';
import { Problem, clear, get, hintOf, post, tell, tellBeside } from './api.js';
import { keep, missing, request, state } from './state.js';
import { Live } from './live.js';
import * as timeline from './timeline.js';

const LOOK_EVERY_MS = 700;
const AGAIN_MS = 2000; // when the service could not be reached
const SHORT_S = 12; // a shorter video is nearly finished when its first segment is
const SEGMENT_S = 7;
const OVER = ['completed', 'failed', 'canceled'];

let timer;
let live = null;

export function start() {
  $('generate').addEventListener('click', generate);
  $('job-cancel').addEventListener('click', cancel);
  addEventListener('avatalk:still', () => { if ($('job').hidden) still(); });
  $('stage-back').addEventListener('click', moving);
  if (state.job) follow(state.job, true);
}

function still() {
  $('player').pause();
  $('player').hidden = true;
  $('still').hidden = false;
  $('stage-back').hidden = $('result').hidden;
}

function moving() {
  $('player').hidden = false;
  $('still').hidden = true;
  $('stage-back').hidden = true;
}

async function generate() {
  clear('problem-video', 'problem-avatar', 'problem-describe', 'problem-text', 'problem-voice', 'problem-clone', 'problem-recording',
    'problem-transcript', 'problem-background', 'problem-captions', 'problem-engine');
  const lacks = missing();
  if (lacks) {
    tell(lacks[0], new Problem({ message: lacks[1], code: lacks[2] }, 0));
    $(lacks[0]).scrollIntoView({ block: 'nearest' });
    return;
  }
  await ordered(request());
}

/** Have a video made, and return it; undefined if it was refused. */
async function ordered(asked) {
  $('generate').disabled = true;
  note('');
  progress({ status: 'queued', stage: '', progress: 0, eta_s: null });
  try {
    const video = await (await post('v1/videos', asked, { headers: { 'Idempotency-Key': crypto.randomUUID?.() ?? String(Math.random()) } })).json();
    state.job = video.id;
    keep();
    still();
    say(t('job.begun'));
    follow(video.id, false);
    return video;
  } catch (problem) {
    if (problem.field === 'revises') { // that video was deleted meanwhile: all is drawn
      const { revises, ...whole } = asked;
      return ordered(whole);
    }
    $('job').hidden = true;
    tellBeside(problem, 'problem-video');
    return undefined;
  } finally {
    $('generate').disabled = false;
  }
}

async function cancel() {
  if (!state.job) return;
  $('job-cancel').disabled = true;
  try {
    await post(`v1/videos/${state.job}/cancel`, {});
  } catch (problem) {
    tell('problem-video', problem);
  } finally {
    $('job-cancel').disabled = false;
  }
}

/** Look at a job until it is over. */
export function follow(id, found) {
  clearTimeout(timer);
  live?.stop();
  live = new Live($('player'), id, moving);
  $('result').hidden = true;
  timeline.withdraw();
  const look = async () => {
    let video;
    try {
      video = await get(`v1/videos/${id}`);
    } catch (problem) {
      if (problem.status === 404) { state.job = null; keep(); $('job').hidden = true; return; }
      timer = setTimeout(look, AGAIN_MS); // the service may be back soon
      note(t('job.lost'));
      return;
    }
    if (state.job !== id) return;
    if (!$('job-note').hidden) clear('problem-video'); // that the service could not be reached
    note('');
    progress(video);
    if (OVER.includes(video.status)) over(video, found);
    else { if (video.duration_s > SHORT_S && video.progress * video.duration_s > SEGMENT_S) live.go(); timer = setTimeout(look, LOOK_EVERY_MS); }
  };
  look();
}

/** Say and show something about the job; nothing if it is empty. */
function note(text) {
  const box = $('job-note');
  if (text && box.textContent !== text) say(text);
  box.textContent = text;
  box.hidden = !text;
}

function progress(video) {
  const running = !OVER.includes(video.status);
  $('job').hidden = !running;
  if (!running) return;
  $('job-stage').textContent = video.status === 'queued' ? t('job.queued') : t(`stage.${video.stage || 'avatar'}`);
  const bar = $('job-progress');
  if (video.progress > 0) bar.value = video.progress;
  else bar.removeAttribute('value');
  $('job-eta').textContent = video.eta_s === null ? '' : t('job.eta', { time: seconds(Math.max(1, video.eta_s)) });
  const { frames, reused } = video;
  if (video.status === 'queued' && video.warnings?.length) $('job-frames').textContent = hintOf({ hint: video.warnings.at(-1) }); // why it waits
  else $('job-frames').textContent = reused ? t('job.reused', { drawn: number(frames - reused), all: number(frames) }) : frames ? t('job.frames', { done: number(Math.round(video.progress * video.frames)), all: number(video.frames) })
    : t('job.percent', { n: number(100 * video.progress) });
}

async function over(video, found) {
  live.stop();
  if (video.status === 'failed') {
    tellBeside(new Problem(video.error, 0), 'problem-video');
    state.job = null;
    keep();
    still();
    return;
  }
  if (video.status === 'canceled') {
    note(t('job.canceled'));
    state.job = null;
    keep();
    still();
    return;
  }
  if (!found) say(t('job.done'));
  await play(video, !found);
}

/** Show a finished video with all that belongs to it. */
export async function play(video, at_once) {
  const player = $('player');
  if (!live?.whole) {
    player.src = here(video.links.content);
  }
  player.poster = video.links.thumbnail ? here(video.links.thumbnail) : '';
  const ways = String(video.request.captions ?? '').split(',');
  player.replaceChildren();
  if (video.links.captions_vtt && !ways.includes('burn')) {
    player.append(make('track', { kind: 'captions', src: here(video.links.captions_vtt), label: t('captions.track') }));
  }
  moving();
  if (at_once && player.paused && !player.ended) player.play().catch(() => {}); // browsers may want a click first
  timeline.offer(video, corrected);
  await result(video);
}

/** Say one sentence of a video otherwise: what it does not touch is neither spoken nor drawn anew. */
async function corrected(video, sentence, text) {
  const others = (video.request.corrections ?? []).filter((one) => one.sentence !== sentence);
  clear('problem-video', 'problem-text');
  const made = await ordered({ ...video.request, corrections: [...others, { sentence, text }], revises: video.id });
  if (!made) return;
  state.speech.tab = 'text';
  state.speech.text = made.said;
  $('text').value = made.said;
  $('text').dispatchEvent(new Event('input'));
}

async function result(video) {
  const links = [['content', 'avatalk.mp4', 'video'], ['captions_srt', 'avatalk.srt', 'srt'], ['captions_vtt', 'avatalk.vtt', 'vtt'],
    ['thumbnail', 'avatalk.jpg', 'thumbnail']].filter(([name]) => video.links[name]).map(([name, file, key]) => make('a', {
    class: 'button small', id: `download-${key}`, href: here(video.links[name]), download: file, text: t(`download.${key}`) }));
  const json = new Blob([JSON.stringify(video.request, null, 2)], { type: 'application/json' });
  links.push(make('a', { class: 'button small', href: URL.createObjectURL(json), download: 'request.json', text: t('download.request'), id: 'download-request' }));
  links[0].classList.add('main');
  $('downloads').replaceChildren(...links);
  $('result').hidden = false;
  try {
    const report = await get(video.links.report);
    const lines = [
      [t('report.length'), seconds(report.duration_s)],
      [t('report.picture'), `${report.width} × ${report.height}, ${t('report.fps', { n: number(fraction(report.fps), 2) })}`],
      [t('report.made'), t('report.made_in', { time: seconds(report.seconds.total), speed: number(report.duration_s / report.seconds.total, 1) })],
      ...(video.reused ? [[t('report.reused'), t('job.frames', { done: number(video.frames - video.reused), all: number(video.frames) })]] : []),
      [t('report.engines'), Object.entries(report.engines).map(([stage, engine]) => `${t(`stage_name.${stage}`)}: ${engine}`).join(', ')],
    ];
    const list = (title, texts) => (texts.length ? [make('h3', { text: title }), make('ul', {}, ...texts.map((text) => make('li', { text })))] : []);
    $('report-body').replaceChildren(
      make('dl', {}, ...lines.flatMap(([name, value]) => [make('dt', { text: name }), make('dd', { text: value })])),
      ...list(t('report.warnings'), report.warnings), ...list(t('report.better'), report.better.map(plainly)));
  } catch (problem) {
    $('report-body').textContent = problem.message;
  }
}

/** An idea without the command that carries it out. */
const plainly = (text) => text.replace(/: (--|avatalk |pip ).*$/, '').replace(/, see docs\S*/, '').replace(/\.?$/, '.');

const fraction = (text) => { const [over_, under = 1] = String(text).split('/').map(Number); return over_ / under; };

