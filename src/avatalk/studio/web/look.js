// Step 3, what it looks like: background, shape, captions, engine; and one frame of it at once.

import { $, engineName, here, known, later, make, segments, t } from './dom.js';
import { allAvatars, allEngines } from './avatar.js';
import { Problem, clear, post, tell, tellBeside, upload } from './api.js';
import * as compare from './compare.js';
import { changed, missing, onChange, request, state } from './state.js';

const GROUNDS = ['keep', 'blur', 'white', 'gradient:#eef2ff,#c7d2fe', 'gradient:#fff7ed,#fdba74', 'gradient:#334155,#0f172a', 'black', 'green'];
const SHAPES = [['source', 'look.as_is'], ['16:9', ''], ['9:16', ''], ['1:1', '']];
const LONGEST = 100; // letters of a text that are spoken for one frame

// One frame is drawn at a time, and the last one that was asked for is drawn next: spoken, at rest, or only for the
// drawer to be awake. A request that is broken off would cost that: its process ends, and a new one begins slowly.
let wanted = null;
let drawing = false;
const soon = later(rest, 350);

export function start() {
  grounds();
  const { video } = state;
  const chosen = (field) => (value) => { video[field] = value; changed('video'); };
  segments($('aspects'), 'aspect', SHAPES.map(([value, key]) => [value, key ? t(key) : value]), video.aspect, chosen('aspect'));
  segments($('frames'), 'frame', ['source', 'bust', 'head'].map((value) => [value, t(`frame.${value}`)]), video.frame, chosen('frame'));
  segments($('qualities'), 'quality', ['draft', 'standard', 'high'].map((value) => [value, t(`quality.${value}`)]), video.quality, chosen('quality'));
  captions();
  $('preview').addEventListener('click', preview);
  waiting();
  rest();
  setTimeout(() => wanted ?? want('warm'), 1000);
  onChange((what) => {
    explain();
    waiting();
    if (what === 'avatar' || what === 'video') clear('problem-video', 'problem-background', 'problem-engine', 'problem-captions');
    if (what !== 'speech') soon();
  });
}

// --- background

const css = (ground) => (ground.startsWith('gradient:') ? `linear-gradient(${ground.slice(9)})`
  : { green: '#0f0', keep: '', blur: '' }[ground] ?? ground);

function grounds() {
  const { video } = state;
  const choose = (value) => { video.background = value; about(); changed('video'); };
  const swatch = (value, name, style, extra) => make('label', { class: `ground ${extra ?? ''}`, title: name },
    make('input', { type: 'radio', name: 'background', value, checked: value === video.background, 'aria-label': name, onchange: () => choose(value) }),
    make('span', { style }));
  const colour = make('input', { type: 'color', value: /^#/.test(video.background) && !GROUNDS.includes(video.background) ? video.background : '#7c6bd6',
    id: 'ground-colour', 'aria-label': t('look.colour'), title: t('look.colour') });
  colour.addEventListener('input', () => {
    for (const one of $('grounds').querySelectorAll('input[type=radio]')) one.checked = false;
    choose(colour.value);
  });
  const own = make('button', { type: 'button', class: 'ground plus', id: 'ground-pick', 'aria-label': t('look.own'), title: t('look.own'), text: '+', onclick: () => $('ground-file').click() });
  const boxes = GROUNDS.map((ground) => swatch(ground, t(`ground.${ground.split(':')[0]}`) + (ground.includes(':') ? ` ${ground.slice(9)}` : ''),
    css(ground) ? `background:${css(ground)}` : '', ground));
  if (video.ground) boxes.push(swatch('own', video.ground.name, `background:center/cover url("${here(`studio/pictures/${video.ground.id}?height=120`)}")`));
  $('grounds').replaceChildren(...boxes, make('span', { class: `ground colour${colour.value === video.background ? ' chosen' : ''}` }, colour), own);
  $('ground-file').onchange = async () => {
    const file = $('ground-file').files[0];
    $('ground-file').value = '';
    if (!file) return;
    clear('problem-background');
    $('ground-about').textContent = t('uploading', { percent: 0 });
    try {
      const asset = await upload('v1/assets', file, (share) => { $('ground-about').textContent = t('uploading', { percent: Math.round(share * 100) }); });
      video.ground = { id: asset.id, name: file.name };
      video.background = 'own';
      grounds();
      changed('video');
    } catch (problem) {
      tell('problem-background', problem);
    } finally {
      about();
    }
  };
  about();
}

function about() {
  const { background, ground } = state.video;
  $('grounds').querySelector('.colour')?.classList.toggle('chosen', /^#/.test(background) && !GROUNDS.includes(background));
  $('ground-about').textContent = background === 'own' ? ground?.name ?? ''
    : /^#/.test(background) && !GROUNDS.includes(background) ? background : t(`ground.${background.split(':')[0]}`);
  $('ground-about').textContent = `: ${$('ground-about').textContent}`;
}

// --- captions and engine

function captions() {
  const { video } = state;
  $('captions').replaceChildren(...[['burn', 'captions.burn'], ['soft', 'captions.soft'], ['files', 'captions.files']].map(([way, key]) => {
    const ways = way === 'files' ? ['srt', 'vtt'] : [way];
    return make('label', { class: 'check', title: t(`${key}_about`) }, make('input', { type: 'checkbox', id: `captions-${way}`, checked: ways.every((one) => video.captions.includes(one)),
      onchange: (event) => {
        video.captions = video.captions.filter((one) => !ways.includes(one)).concat(event.target.checked ? ways : []);
        changed('video');
      } }), make('span', { text: t(key) }));
  }));
}

/** What moves the lips: the choices that fit the avatar, and what the automatic choice will take. */
function explain() {
  const all = allEngines().filter((engine) => engine.stage === 'lipsync');
  if (!all.length) return;
  const { avatar, video } = state;
  const entry = allAvatars().find((one) => one.name === avatar.gallery);
  const drawn = avatar.tab === 'gallery' ? entry?.engine !== 'diffusion'
    : avatar.tab === 'describe' ? avatar.describe.results.find((one) => one.id === avatar.describe.chosen)?.engine !== 'diffusion' : false;
  const kind = drawn ? 'drawn' : avatar.tab === 'upload' && avatar.upload?.clip && !avatar.upload.static ? 'clip' : 'still';
  const options = all.filter((engine) => engine.takes.includes(kind));
  const select = $('engine');
  select.replaceChildren(make('option', { value: 'auto', text: t('engine.auto') }), ...options.map((engine) => make('option', {
    value: engine.name, text: engineName(engine) + (engine.ready ? '' : ` (${t('engine.missing')})`) })));
  if (video.engine !== 'auto' && !options.some((engine) => engine.name === video.engine)) video.engine = 'auto';
  select.value = video.engine;
  select.onchange = () => { video.engine = select.value; clear('problem-engine'); changed('video'); };
  compare.offer(options);
  const auto = options.find((engine) => engine.ready) ?? options[0];
  const chosen = video.engine === 'auto' ? auto : options.find((engine) => engine.name === video.engine);
  $('engine-about').textContent = [video.engine === 'auto' ? t('engine.takes', { name: engineName(chosen) }) : '', known(`engine_about.${chosen.name}.${kind}`, sentence(chosen.summary)),
    chosen.ready ? '' : t('engine.get')].filter(Boolean).join(' ');
}

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

// --- one frame

/** The beginning of a text, whole words: enough for one frame. */
function beginning(text) {
  if (text.length <= LONGEST || /<speak/.test(text)) return text;
  const cut = text.slice(0, LONGEST).replace(/<[^>]*$/, '');
  return cut.replace(/\s+\S*$/, '') || cut;
}

/** Fade the picture that is of nobody who was chosen. */
function waiting() {
  const lacks = missing();
  $('stage').classList.toggle('waiting', Boolean(lacks) && /avatar|describe/.test(lacks[0]));
}

/** Show what the choices look like. Before anything is changed, a picture that is there already will do. */
function rest() {
  const { avatar, video } = state;
  const plain = avatar.tab === 'gallery' && video.background === 'keep' && video.frame === 'source' && !video.captions.includes('burn')
    && ['source', '16:9'].includes(video.aspect) && allAvatars().find((one) => one.name === avatar.gallery)?.engine !== 'drawn';
  want(plain ? 'nothing' : 'rest');
  if (plain) place(here(`studio/web/faces/${avatar.gallery}-wide.webp`));
}

/** The request of one frame, spoken or at rest; null if something lacks. */
function framed(spoken) {
  const lacks = missing();
  if (lacks && (spoken || !/text|recording/.test(lacks[0]))) return null;
  const fields = request();
  const written = fields.captions.includes('burn') && (spoken || (fields.text ?? '').trim()); // what they say is to be spoken
  if (!spoken && !written) { for (const name of ['audio', 'transcript', 'voice', 'voice_sample', 'language']) delete fields[name]; fields.text = '1'; }
  if (fields.text) fields.text = beginning(fields.text);
  fields.captions = written ? 'burn' : 'none';
  fields.at = spoken || written ? null : 0;
  if (state.avatar.tab === 'upload' && state.avatar.upload.clip) fields.static = true; // its faces would take a while
  return fields;
}

/** Show one spoken frame, or say what lacks. */
function preview() {
  const lacks = missing();
  clear('problem-video', ...(lacks ? [lacks[0]] : []));
  soon.never();
  if (!lacks) { want('spoken'); return; }
  tell(lacks[0], new Problem({ message: lacks[1], code: lacks[2] }, 0));
  $(lacks[0]).scrollIntoView({ block: 'nearest' });
}

async function want(what) {
  if (what === 'warm' && drawing) return; // it is awake, and what it draws is to be shown
  wanted = what;
  if (['spoken', 'rest'].includes(what)) busy(t('video.drawing'));
  if (drawing) return;
  drawing = true;
  while (wanted) {
    const now = wanted;
    wanted = null;
    const fields = now === 'nothing' ? null : framed(now !== 'rest');
    if (!fields) continue;
    try {
      const picture = await (await post('v1/preview', fields, { headers: { Accept: 'image/jpeg' } })).blob();
      if (!wanted && now !== 'warm') show(picture);
    } catch (problem) {
      if (!wanted && now !== 'warm') tellBeside(problem, 'problem-video');
    }
  }
  drawing = false;
  busy('');
}

let shown = '';

/** Put a picture on the stage, in the place of what is there. */
export function show(blob) {
  URL.revokeObjectURL(shown);
  shown = URL.createObjectURL(blob);
  place(shown);
}

function place(picture) {
  $('still').src = picture;
  $('still').alt = t('video.still');
  dispatchEvent(new CustomEvent('avatalk:still'));
}

function busy(text) {
  $('stage-busy').hidden = !text;
  $('stage-busy').textContent = text;
}
