// The page comes to life: words, views, and the parts.

import { $, holdsFiles, learn, speak, t } from './dom.js';
import { clear, tell } from './api.js';
import { keep, load, state } from './state.js';
import * as avatar from './avatar.js';
import * as speech from './speech.js';
import * as look from './look.js';
import * as job from './job.js';
import * as library from './library.js';
import * as models from './models.js';
import * as batch from './batch.js';
import * as compare from './compare.js';

const PARTS = ['view-create', 'avatar-title', 'speech-title', 'video-title', 'library', 'models', 'batch'];
const LANGUAGES = ['en', 'de'];

/** Gradio builds the page after this script has begun. */
function whole() {
  return new Promise((done) => {
    const there = () => PARTS.every($);
    if (there()) { done(); return; }
    const watch = new MutationObserver(() => { if (there()) { watch.disconnect(); done(); } });
    watch.observe(document.documentElement, { childList: true, subtree: true });
  });
}

function remembered(name, otherwise) {
  try { return localStorage.getItem(`avatalk.${name}`) ?? otherwise; } catch { return otherwise; }
}

function remember(name, value) {
  try { localStorage.setItem(`avatalk.${name}`, value); } catch { /* forbidden: for this visit only */ }
}

function themed(theme) {
  document.documentElement.dataset.theme = theme;
  $('theme').setAttribute('aria-pressed', theme === 'dark');
  dispatchEvent(new Event('avatalk:theme')); // what is drawn by scripts is drawn in its colours
}

const VIEWS = { create: 'steps', library: 'library', models: 'models', batch: 'batch' };

export function view(name) {
  for (const [other, id] of Object.entries(VIEWS)) {
    $(id).hidden = other !== name;
    const button = $(`view-${other}`);
    if (other === name) button.setAttribute('aria-current', 'page');
    else button.removeAttribute('aria-current');
  }
  if (name !== 'create') avatar.dark();
  document.querySelector('.skip').href = `#${VIEWS[name]}`;
  state.view = name;
  keep();
  if (name === 'library') library.open();
  if (name === 'models') models.open();
  if (name === 'batch') batch.open();
}

async function start() {
  const browser = (navigator.language ?? 'en').slice(0, 2);
  const language = remembered('language', LANGUAGES.includes(browser) ? browser : 'en');
  await Promise.all([learn(language), whole()]);
  speak();
  load();
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  themed(remembered('theme', dark ? 'dark' : 'light'));
  $('theme').addEventListener('click', () => {
    const theme = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
    themed(theme);
    remember('theme', theme);
  });
  $('language').value = language;
  $('language').addEventListener('change', () => {
    remember('language', $('language').value);
    if (state.speech.text === t('speech.first')) { delete state.speech.text; keep(); } // nobody's words: they are to be in the other language
    location.reload();
  });
  for (const button of document.querySelectorAll('[data-view]')) button.addEventListener('click', () => view(button.dataset.view));
  for (const part of [avatar, speech, look, job, library, models, batch, compare]) part.start();
  view(state.view in VIEWS ? state.view : 'create');
  document.documentElement.dataset.ready = '';
}

// A file that misses its place would take the place of the page.
addEventListener('dragover', (event) => { if (holdsFiles(event) && !event.defaultPrevented) { event.preventDefault(); event.dataTransfer.dropEffect = 'none'; } });
addEventListener('drop', (event) => { if (holdsFiles(event)) event.preventDefault(); });
addEventListener('avatalk:view', (event) => view(event.detail));
addEventListener('unhandledrejection', (event) => { if (document.documentElement.dataset.ready === '') tell('problem-page', event.reason); });
start().then(() => clear('problem-page'), (error) => { $('problem-page') && tell('problem-page', error); throw error; });
