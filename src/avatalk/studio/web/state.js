// What was entered, kept in this browser: a reload finds that of its own tab again, a new tab that of the last one.

import { language, t } from './dom.js';

const KEY = 'avatalk.studio';

export const usual = () => ({
  view: 'create',
  avatar: { tab: 'gallery', gallery: 'ada', upload: null, face: null,
    describe: { prompt: '', engine: 'auto', count: 4, results: [], chosen: null } },
  speech: { tab: 'text', text: t('speech.first'), language: '', voice: '', speed: 1, pitch: 1, sample: null,
    recording: null, transcript: '' },
  video: { background: 'keep', ground: null, aspect: 'source', frame: 'source', engine: 'auto', captions: ['srt', 'vtt'],
    quality: 'standard' },
  job: null,
  compare: { jobs: [] },
  batch: { columns: [], rows: [], text: '', id: null },
});

export let state;

const listeners = [];

/** Read what was kept; what is missing in it, of an older page, is as usual. */
export function load() {
  let kept = {};
  try { kept = JSON.parse(sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY) ?? '{}'); } catch { /* not ours any more */ }
  state = merged(usual(), kept);
}

function merged(into, from) {
  if (!from || typeof from !== 'object') return into;
  for (const [name, value] of Object.entries(into)) {
    if (!(name in from)) continue;
    const plain = value && typeof value === 'object' && !Array.isArray(value);
    into[name] = plain ? merged(value, from[name]) : from[name];
  }
  return into;
}

/** Tell everybody that something changed: `what` is avatar, speech or video; or known, of avatars and engines. */
export function changed(what) {
  keep();
  for (const listen of listeners) listen(what);
}

export function keep() {
  for (const kept of [state, { ...state, batch: { ...state.batch, rows: [] } }]) { // a large table may be too much
    const text = JSON.stringify(kept);
    try {
      sessionStorage.setItem(KEY, text);
      localStorage.setItem(KEY, text);
      return;
    } catch { /* full, or forbidden: nothing is kept */ }
  }
}

export const onChange = (listen) => listeners.push(listen);

/** The request that the three steps make; what has no value keeps its default. */
export function request() {
  const { avatar, speech, video } = state;
  const made = {};
  if (avatar.tab === 'gallery') made.avatar = avatar.gallery;
  if (avatar.tab === 'upload' && avatar.upload) {
    made.avatar = avatar.upload.id;
    if (avatar.face && avatar.upload.faces?.length > 1) made.face = avatar.face;
    if (avatar.upload.clip && avatar.upload.static) made.static = true;
  }
  if (avatar.tab === 'describe' && avatar.describe.chosen) made.avatar = avatar.describe.chosen;
  if (speech.tab === 'text') {
    made.text = speech.text;
    if (speech.sample) made.voice_sample = speech.sample.id;
    else if (speech.voice) made.voice = speech.voice;
    if (speech.language) made.language = speech.language;
    if (speech.speed !== 1) made.speed = speech.speed;
    if (speech.pitch !== 1) made.pitch = speech.pitch;
  } else if (speech.recording) {
    made.audio = speech.recording.id;
    if (speech.transcript.trim()) made.transcript = speech.transcript;
    if (speech.language && speech.transcript.trim()) made.language = speech.language;
  }
  for (const field of ['background', 'aspect', 'frame', 'engine', 'quality']) made[field] = video[field];
  if (video.background === 'own') made.background = video.ground?.id ?? 'keep';
  made.captions = video.captions.join(',') || 'none';
  return made;
}

/** What is missing before a video can be made: [place, text, code if the service has told so], or null. */
export function missing() {
  const { avatar, speech } = state;
  if (avatar.tab === 'upload' && !avatar.upload) return ['problem-avatar', t('missing.upload')];
  if (avatar.tab === 'upload' && avatar.upload.problem) return ['problem-avatar', avatar.upload.problem, 'no_usable_face'];
  if (avatar.tab === 'describe' && !avatar.describe.chosen) return ['problem-describe', t('missing.describe')];
  if (speech.tab === 'text' && !speech.text.trim()) return ['problem-text', t('missing.text')];
  if (speech.tab === 'recording' && !speech.recording) return ['problem-recording', t('missing.recording')];
  return null;
}

export { language };
