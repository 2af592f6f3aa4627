// Past videos: searched, played, downloaded, made again with changes, deleted.

import { $, here, later, make, number, savedAs, say, seconds, t, language } from './dom.js';
import { clear, get, inWords, remove, tell } from './api.js';
import { keep, state } from './state.js';

const LOOK_EVERY_MS = 2000;
const LONGEST = 90; // letters of a title

let next = null;
let shown = [];
let timer;

export function start() {
  $('library-filter').addEventListener('input', later(open, 250));
  $('library-more').addEventListener('click', () => page(next));
  $('library-first').addEventListener('click', () => { dispatchEvent(new CustomEvent('avatalk:view', { detail: 'create' })); $('text').focus(); });
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
  clearTimeout(timer);
  timer = setTimeout(news, LOOK_EVERY_MS);
}

/** What has become of those that were in the making. */
async function news() {
  if ($('library').hidden) return;
  for (const video of shown.filter((one) => ['queued', 'processing'].includes(one.status))) {
    try {
      Object.assign(video, await get(`v1/videos/${video.id}`));
    } catch (problem) {
      if (problem.status === 404) shown = shown.filter((one) => one !== video); // else the service may be back soon
    }
  }
  draw();
  if (shown.some((one) => !one.ended_at)) timer = setTimeout(news, LOOK_EVERY_MS);
}

/** Show what there is; the card of a video that is as it was stays, for it may be playing. */
function draw() {
  const filtered = Boolean($('library-filter').value.trim());
  $('library-more').hidden = !next;
  $('library-empty').hidden = shown.length > 0;
  $('library-why').textContent = t(filtered ? 'library.none' : 'library.empty');
  $('library-first').hidden = filtered;
  const old = new Map([...$('videos').children].map((one) => [one.dataset.shows, one]));
  const cards = shown.map((video) => {
    const now = `${video.id} ${video.status} ${video.progress}`;
    const box = old.get(now) ?? card(video);
    box.dataset.shows = now;
    return box;
  });
  if (cards.length !== $('videos').children.length || cards.some((one, index) => one !== $('videos').children[index])) $('videos').replaceChildren(...cards);
}

const titleOf = ({ request, said }) => {
  const words = said ?? request.transcript ?? t('library.recording');
  const plain = words.replace(/<[^>]*>/g, '').trim();
  return plain.length > LONGEST ? `${plain.slice(0, LONGEST).replace(/\s+\S*$/, '')} …` : plain;
};

const statusOf = ({ status, progress }) => t(`status.${status}`) + (status === 'processing' ? `, ${number(100 * progress)} %` : '');

function card(video) {
  const title = titleOf(video);
  const done = video.status === 'completed';
  const box = make('li', { class: 'clip card' });
  const picture = done && video.links.thumbnail ? make('img', { src: here(video.links.thumbnail), alt: '', loading: 'lazy' })
    : make('span', { class: 'blank', text: statusOf(video) });
  const cover = make('button', { type: 'button', class: 'cover', disabled: !done, 'aria-label': t('library.play', { title }), onclick: () => {
    const player = make('video', { src: here(video.links.content), controls: true, autoplay: true, playsInline: true, 'aria-label': title });
    cover.replaceWith(player);
    player.focus();
  } }, picture);
  const date = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(video.created_at * 1000);
  const acts = make('p', { class: 'row wrap' });
  if (done) acts.append(make('a', { class: 'button small', href: savedAs(video.links.content, title), download: '', text: t('library.download') }));
  acts.append(make('button', { type: 'button', class: 'small again', text: t('library.again'), title: t('library.again_why'), onclick: () => again(video) }));
  const drop = make('button', { type: 'button', class: 'small plain drop-it', text: t('library.delete'), onclick: () => sure(drop, video) });
  acts.append(drop);
  box.append(cover, make('p', { class: 'title', dir: 'auto', text: title }),
    make('p', { class: 'note', text: [date, video.duration_s && seconds(video.duration_s), done ? '' : t(`status.${video.status}`)].filter(Boolean).join(' · ') }), acts);
  if (video.error) box.append(make('p', { class: 'problem' }, ...inWords(video.error)));
  return box;
}

/** Ask once more, in the place of the button. */
function sure(button, video) {
  if (button.classList.contains('sure')) { gone(video); return; }
  button.classList.add('sure');
  button.textContent = t('library.sure'); // about as wide: it stays below the pointer
  button.setAttribute('aria-label', `${t('library.sure')} ${t('library.delete')}`);
  setTimeout(() => { button.classList.remove('sure'); button.removeAttribute('aria-label'); button.textContent = t('library.delete'); }, 4000);
}

async function gone(video) {
  try {
    await remove(`v1/videos/${video.id}`);
    const place = shown.findIndex((one) => one.id === video.id);
    shown = shown.filter((one) => one.id !== video.id);
    if (state.job === video.id) { state.job = null; keep(); }
    say(t('library.deleted'));
    draw();
    ($('videos').children[Math.min(place, shown.length - 1)]?.querySelector('.drop-it') ?? $('library-filter')).focus();
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
  if (video.said) speech.text = video.said;
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
