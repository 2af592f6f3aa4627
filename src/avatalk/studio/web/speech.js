// Step 2: what is said. Text with a voice, or a recording.

import { $, dropped, here, language, make, number, say, seconds, t, tabs } from './dom.js';
import { Problem, clear, get, hintOf, post, raw, tell, tellBeside, upload } from './api.js';
import { changed, keep, missing, request, state } from './state.js';
import { Recorder } from './record.js';
import { Wave } from './wave.js';

const AGAIN_MS = 3000; // when the service could not be reached

let voices = [];
let wave;
let making = null;
const heard = new Audio();

export function start() {
  wave = new Wave($('speech-wave'), t('speech.wave'));
  tabs('speech', state.speech.tab, (name) => { state.speech.tab = name; stale(); recorded(); changed('speech'); });
  text();
  sliders();
  cloning();
  recording();
  $('speech-make').addEventListener('click', generate);
  $('speech-cancel').addEventListener('click', () => making?.abort());
  fill();
}

function stale() { wave.hide(); clear('problem-speech'); $('speech-notes').replaceChildren(); }

// --- text

/** Seconds that a text takes to say, about: letters of alphabets at 15 a second, others at 4.5, and its breaks. */
function estimate(text) {
  const breaks = [...text.matchAll(/<break[^>]*time="([\d.]+)(m?)s"/g)].reduce((sum, [, time, milli]) => sum + time / (milli ? 1000 : 1), 0);
  const plain = text.replace(/<[^>]*>/g, '').replace(/\s+/g, ' ').trim();
  const dense = (plain.match(/[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]/g) ?? []).length;
  return breaks + ((plain.length - dense) / 15 + dense / 4.5) / state.speech.speed;
}

function text() {
  const box = $('text');
  box.value = state.speech.text;
  const count = () => {
    const long = box.value.trim() ? t('speech.about', { time: seconds(estimate(box.value)) }) : '';
    $('text-count').textContent = [t('speech.letters', { n: number([...box.value].length) }), long].filter(Boolean).join(' · ');
  };
  box.addEventListener('input', () => { state.speech.text = box.value; count(); clear('problem-text'); stale(); changed('speech'); });
  $('speed').addEventListener('input', count);
  $('text-pause').addEventListener('click', () => {
    box.setRangeText('<break time="0.5s"/>', box.selectionStart, box.selectionEnd, 'end');
    box.dispatchEvent(new Event('input'));
    box.focus();
  });
  count();
}

function sliders() {
  for (const name of ['speed', 'pitch']) {
    const slider = $(name);
    slider.value = state.speech[name];
    const show = () => { $(`${name}-shown`).textContent = `× ${number(Number(slider.value), 2)}`; };
    slider.addEventListener('input', () => { state.speech[name] = Number(slider.value); show(); stale(); changed('speech'); });
    show();
  }
}

// --- voices

async function fill() {
  try {
    voices = (await get('v1/voices')).data;
    clear('problem-voice');
  } catch (problem) {
    tell('problem-voice', problem);
    if (!problem.status) setTimeout(fill, AGAIN_MS); // the service may be back soon
    return;
  }
  if (state.speech.voice && !voices.some((voice) => voice.name === state.speech.voice)) state.speech.voice = '';
  const names = new Intl.DisplayNames([language], { type: 'language', style: 'short', fallback: 'none' });
  const tags = [...new Set(voices.map((voice) => voice.language))];
  const named = tags.map((tag) => [tag, localName(names, tag) ?? voices.find((voice) => voice.language === tag).language_name]);
  named.sort((one, other) => one[1].localeCompare(other[1], language));
  $('speech-language').replaceChildren(make('option', { value: '', text: t('speech.any_language') }),
    ...named.map(([tag, name]) => make('option', { value: tag, text: name })));
  $('speech-language').value = tags.includes(state.speech.language) ? state.speech.language : '';
  $('speech-language').addEventListener('change', () => {
    state.speech.language = $('speech-language').value;
    const chosen = voices.find((voice) => voice.name === state.speech.voice);
    if (chosen && state.speech.language && !near(chosen)) state.speech.voice = '';
    list();
    clear('problem-voice');
    stale();
    changed('speech');
  });
  $('voice-filter').addEventListener('input', list);
  const called = new Map(named);
  for (const voice of voices) voice.called = called.get(voice.language);
  list();
}

function localName(names, tag) {
  try { return names.of(tag); } catch { return undefined; }
}

const near = (voice) => voice.language.split('-')[0] === state.speech.language.split('-')[0];

function list() {
  const wanted = $('voice-filter').value.trim().toLowerCase();
  const shown = voices.filter((voice) => (!state.speech.language || near(voice))
    && `${voice.name} ${voice.called} ${voice.language_name} ${voice.language} ${t(`sex.${voice.sex}`)}`.toLowerCase().includes(wanted));
  const first = [language, ...navigator.languages, 'en'].map((tag) => tag.split('-')[0]);
  const rank = (voice) => { const at = first.indexOf(voice.language.split('-')[0]); return at < 0 ? first.length : at; };
  shown.sort((one, other) => rank(one) - rank(other));
  const { voice: chosen, sample } = state.speech;
  const rows = [];
  if (sample) rows.push(row('', t('clone.voice', { name: sample.name }), t('clone.about'), true, null));
  else if (!wanted) rows.push(row('', t('speech.auto'), t('speech.auto_about'), !chosen, null));
  for (const voice of shown.slice(0, 300)) {
    const tag = voice.name.startsWith(voice.language.toLowerCase()); // it has no name of its own: its language tells more
    rows.push(row(voice.name, tag ? voice.called : voice.name.charAt(0).toUpperCase() + voice.name.slice(1),
      [tag ? '' : voice.called, voice.sex && t(`sex.${voice.sex}`), voice.engine === 'espeak' ? '' : voice.engine].filter(Boolean).join(' · '), !sample && voice.name === chosen, voice));
  }
  if (!rows.length) rows.push(make('p', { class: 'note', text: t('speech.none') }));
  $('voices').replaceChildren(...rows);
  reachable();
  const box = $('voices').querySelector('input:checked')?.closest('.voice');
  if (box) $('voices').scrollTop = Math.max(0, box.offsetTop - $('voices').offsetTop - 60);
}

/** Of all the buttons that play voices, the Tab key reaches that of the chosen voice. */
function reachable() {
  for (const one of $('voices').querySelectorAll('button')) one.tabIndex = one.parentElement.querySelector('input').checked ? 0 : -1;
}

function row(value, title, about, checked, voice) {
  const choose = () => {
    state.speech.voice = value;
    reachable();
    if (voice && state.speech.sample) { state.speech.sample = null; cloned(); list(); }
    clear('problem-voice');
    stale();
    changed('speech');
  };
  return make('div', { class: 'voice' },
    make('label', {}, make('input', { type: 'radio', name: 'voice', value, checked, onchange: choose }),
      make('span', {}, make('strong', { text: title }), make('small', { text: about }))),
    voice && make('button', { type: 'button', class: 'plain play', 'aria-label': t('speech.listen', { name: title }), title: t('speech.listen', { name: title }),
      onclick: (event) => listen(event.currentTarget, voice) }));
}

async function listen(button, voice) {
  const playing = $('voices').querySelector('.playing');
  heard.pause();
  playing?.classList.remove('playing');
  if (playing === button) return;
  clear('problem-voice');
  button.classList.add('playing');
  heard.src = here(voice.preview);
  heard.onended = () => button.classList.remove('playing');
  heard.onerror = async () => {
    button.classList.remove('playing');
    try { await raw(voice.preview); } catch (problem) { tell('problem-voice', problem); }
  };
  try { await heard.play(); } catch { /* onerror tells */ }
}

// --- clone

function cloning() {
  $('clone-pick').addEventListener('click', () => agreed() && $('clone-file').click());
  $('clone-file').addEventListener('change', () => { sample($('clone-file').files[0]); $('clone-file').value = ''; });
  const recorder = new Recorder($('clone-record'), $('clone-busy'), 'problem-clone', sample);
  $('clone-record').addEventListener('click', () => (recorder.on || agreed()) && recorder.toggle());
  $('clone-drop').addEventListener('click', () => { state.speech.sample = null; cloned(); list(); changed('speech'); });
  cloned();
}

function agreed() {
  const yes = $('clone-consent').checked;
  clear('problem-clone');
  if (!yes) { tell('problem-clone', new Problem({ message: t('clone.consent_first') }, 0)); $('clone-consent').focus(); }
  return yes;
}

async function sample(file) {
  const asset = await sound(file, 'clone');
  if (!asset) return;
  state.speech.sample = { id: asset.id, name: file.name };
  cloned();
  list();
  stale();
  changed('speech');
}

function cloned() {
  const has = state.speech.sample;
  $('clone-has').hidden = !has;
  if (has) { $('clone').open = true; $('clone-about').textContent = has.name; $('clone-consent').checked = true; }
}

const taking = {}; // place → the number of its latest file: only that one is wanted

/** Upload a sound; what is wrong with it appears beside it. */
async function sound(file, place) {
  if (!file) return null;
  taking[place] = (taking[place] ?? 0) + 1;
  const mine = taking[place];
  clear(`problem-${place}`);
  const busy = $(`${place}-busy`);
  busy.hidden = false;
  try {
    const asset = await upload('v1/assets', file, (share) => {
      if (mine === taking[place]) busy.textContent = share < 1 ? t('uploading', { percent: Math.round(share * 100) }) : t('recording.looking');
    });
    if (asset.kind === 'picture') throw new Problem({ message: t('recording.is_picture') }, 0);
    return mine === taking[place] ? asset : null;
  } catch (problem) {
    if (mine === taking[place]) tell(`problem-${place}`, problem);
    return null;
  } finally {
    if (mine === taking[place]) busy.hidden = true;
  }
}

// --- recording

function recording() {
  $('recording-pick').addEventListener('click', () => $('recording-file').click());
  $('recording-file').addEventListener('change', () => { taken($('recording-file').files[0]); $('recording-file').value = ''; });
  dropped($('speech-title').closest('section'), (file) => { $('speech-tab-recording').click(); taken(file); });
  const recorder = new Recorder($('recording-record'), $('recording-busy'), 'problem-recording', taken);
  $('recording-record').addEventListener('click', () => recorder.toggle());
  $('recording-remove').addEventListener('click', () => { state.speech.recording = null; recorded(); stale(); changed('speech'); });
  $('transcript').value = state.speech.transcript;
  $('transcript').addEventListener('input', () => { state.speech.transcript = $('transcript').value; clear('problem-transcript'); changed('speech'); });
  recorded();
}

async function taken(file) {
  const asset = await sound(file, 'recording');
  if (!asset) return;
  state.speech.recording = { id: asset.id, name: file.name, duration_s: asset.duration_s };
  recorded(file);
  changed('speech');
  say(t('recording.there', { name: file.name }));
}

/** Show the recording, if there is one, and its waveform: of a file that is at hand, or as the service has it. */
async function recorded(file) {
  const { recording: has, tab } = state.speech;
  $('speech-alone').hidden = tab === 'recording';
  $('recording-drop').classList.toggle('filled', Boolean(has));
  $('recording-has').hidden = !has;
  if (!has) return;
  $('recording-about').textContent = [has.name, has.duration_s && seconds(has.duration_s)].filter(Boolean).join(' · ');
  if (tab !== 'recording') return;
  try {
    const content = file ?? await (await raw(`v1/assets/${has.id}/content`)).blob();
    if (state.speech.recording?.id === has.id && state.speech.tab === 'recording') wave.show(content, Boolean(file));
  } catch (problem) {
    if (problem.status === 404) { state.speech.recording = null; keep(); recorded(); }
  }
}

// --- the sound by itself

async function generate() {
  stale();
  const lacks = missing();
  if (lacks && !['problem-avatar', 'problem-describe'].includes(lacks[0])) {
    tell(lacks[0], new Problem({ message: lacks[1], code: lacks[2] }, 0));
    return;
  }
  making = new AbortController();
  $('speech-busy').hidden = false;
  $('speech-busy').textContent = t('speech.busy');
  $('speech-cancel').hidden = false;
  $('speech-make').disabled = true;
  try {
    const fields = request();
    for (const name of ['background', 'captions', 'aspect', 'frame', 'quality', 'engine', 'face', 'static']) delete fields[name];
    if (['problem-avatar', 'problem-describe'].includes(lacks?.[0])) delete fields.avatar;
    const told = await (await post('studio/speech', fields, { signal: making.signal })).json();
    wave.show(await (await raw(`v1/assets/${told.asset}/content`)).blob());
    const notes = told.warnings.map((hint) => hintOf({ hint })).filter(Boolean);
    $('speech-notes').replaceChildren(...notes.map((text) => make('li', { text, dir: 'auto' })));
    say([t('speech.done'), ...notes].join(' '));
  } catch (problem) {
    tellBeside(problem, 'problem-speech');
  } finally {
    $('speech-busy').hidden = true;
    $('speech-cancel').hidden = true;
    $('speech-make').disabled = false;
    making = null;
    keep();
  }
}
