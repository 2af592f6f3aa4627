// Past videos: searched, played, downloaded, made again with changes, deleted.

import { $, here, later, make, say, seconds, t, language } from './dom.js';
import { clear, get, hintOf, remove, tell } from './api.js';
import { keep, state } from './state.js';

let next = null;
let shown = [];

export function start() {
  $('library-filter').addEventListener('input', later(open, 250));
  $('library-more').addEventListener('click', () => page(next));
}

export async function open() {
  shown = [];
  await page(null);
}

async function page(before) {
  clear('problem-library');
  const asked = new URLSearchParams({ limit: 24 });
  const wanted = $('library-filter').value.trim();
  if (wanted) asked.set('search', wanted);
  if (before) asked.set('before', before);
  try {
    const found = await get(`v1/videos?${asked}`);
    shown = shown.concat(found.data);
    next = found.next;
    draw();
  } catch (problem) {
    tell('problem-library', problem);
  }
}

function draw() {
  $('library-more').hidden = !next;
  $('library-empty').hidden = shown.length > 0;
  $('library-empty').textContent = t($('library-filter').value.trim() ? 'library.none' : 'library.empty');
  $('videos').replaceChildren(...shown.map(card));
}

const titleOf = ({ request }) => {
  const words = request.text ?? request.transcript ?? t('library.recording');
  return words.replace(/<[^>]*>/g, '').trim().slice(0, 90);
};

function card(video) {
  const title = titleOf(video);
  const done = video.status === 'completed';
  const box = make('li', { class: 'clip card' });
  const picture = done && video.links.thumbnail ? make('img', { src: here(video.links.thumbnail), alt: '', loading: 'lazy' })
    : make('span', { class: 'blank', text: t(`status.${video.status}`) });
  const cover = make('button', { type: 'button', class: 'cover', disabled: !done, 'aria-label': t('library.play', { title }), onclick: () => {
    cover.replaceWith(make('video', { src: here(video.links.content), controls: true, autoplay: true, playsInline: true, 'aria-label': title }));
  } }, picture);
  const date = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(video.created_at * 1000);
  const acts = make('p', { class: 'row wrap' });
  if (done) acts.append(make('a', { class: 'button small', href: here(video.links.content), download: 'avatalk.mp4', text: t('library.download') }));
  acts.append(make('button', { type: 'button', class: 'small again', text: t('library.again'), onclick: () => again(video) }));
  const drop = make('button', { type: 'button', class: 'small plain', text: t('library.delete'), onclick: () => sure(drop, video) });
  acts.append(drop);
  box.append(cover, make('p', { class: 'title', dir: 'auto', text: title }),
    make('p', { class: 'note', text: [date, video.duration_s && seconds(video.duration_s), done ? '' : t(`status.${video.status}`)].filter(Boolean).join(' · ') }), acts);
  if (video.error) box.append(make('p', { class: 'problem', text: `${video.error.message} ${hintOf(video.error)}` }));
  return box;
}

/** Ask once more, in the place of the button. */
function sure(button, video) {
  if (button.classList.contains('sure')) { gone(video); return; }
  button.classList.add('sure');
  button.textContent = t('library.sure');
  setTimeout(() => { button.classList.remove('sure'); button.textContent = t('library.delete'); }, 4000);
}

async function gone(video) {
  try {
    await remove(`v1/videos/${video.id}`);
    shown = shown.filter((one) => one.id !== video.id);
    if (state.job === video.id) { state.job = null; keep(); }
    say(t('library.deleted'));
    draw();
  } catch (problem) {
    tell('problem-library', problem);
  }
}

/** Put what a video was made from back into the three steps. */
async function again(video) {
  const asked = video.request;
  const files = [asked.avatar, asked.audio, asked.voice_sample, asked.background].filter((one) => String(one).startsWith('asset_'));
  const assets = {};
  for (const id of files) assets[id] = await get(`v1/assets/${id}`).then((asset) => asset.name, () => undefined);
  const { avatar, speech, video: look } = state;
  if (!asked.avatar?.startsWith('asset_')) {
    avatar.tab = 'gallery';
    avatar.gallery = asked.avatar ?? 'ada';
  } else if (avatar.describe.results.some((one) => one.id === asked.avatar)) {
    avatar.tab = 'describe';
    avatar.describe.chosen = asked.avatar;
  } else {
    avatar.tab = 'upload';
    avatar.upload = { again: true, id: asked.avatar, static: asked.static ?? false };
    avatar.face = asked.face ?? null;
  }
  speech.tab = asked.audio ? 'recording' : 'text';
  if (asked.text) speech.text = asked.text;
  speech.recording = asked.audio ? { id: asked.audio, name: assets[asked.audio] ?? t('record.name') } : speech.recording;
  speech.transcript = asked.transcript ?? '';
  speech.voice = asked.voice ?? '';
  speech.language = asked.language ?? '';
  speech.speed = asked.speed ?? 1;
  speech.pitch = asked.pitch ?? 1;
  speech.sample = asked.voice_sample ? { id: asked.voice_sample, name: assets[asked.voice_sample] ?? t('record.name') } : null;
  look.background = asked.background ?? 'keep';
  if (look.background.startsWith('asset_')) { look.ground = { id: look.background, name: assets[look.background] ?? t('look.own') }; look.background = 'own'; }
  look.aspect = asked.aspect ?? 'source';
  look.frame = asked.frame ?? 'source';
  look.engine = asked.engine ?? 'auto';
  look.quality = asked.quality ?? 'standard';
  look.captions = String(asked.captions ?? 'none').split(',').filter((way) => way !== 'none');
  state.job = video.status === 'completed' ? video.id : null;
  state.view = 'create';
  keep();
  location.reload();
}
