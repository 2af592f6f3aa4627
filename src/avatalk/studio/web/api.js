// The service as the page sees it: every answer, or the problem it tells.

import { $, here, known, language, make, t } from './dom.js';

/** What the service says is wrong. */
export class Problem extends Error {
  constructor(told, status) {
    super(told.message);
    Object.assign(this, { code: told.code, field: told.field, hint: told.hint ?? '', status });
  }
}

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(here(path), options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem({ code: 'unreachable', message: t('error.unreachable'), hint: t('error.unreachable_hint') }, 0);
  }
  if (answer.ok) return answer;
  let told;
  try { told = (await answer.json()).error; } catch { /* not of the service: a proxy perhaps */ }
  const problem = new Problem(told ?? { code: 'error', message: t('error.answer', { status: answer.status }) }, answer.status);
  if (answer.status === 401 && !path.startsWith('studio/key')) await askKey();
  throw problem;
}

export const get = async (path, options) => (await ask(path, options)).json();
export const raw = ask;
export const post = async (path, body, options = {}) => ask(path, {
  method: 'POST', headers: { 'Content-Type': 'application/json', ...options.headers }, body: JSON.stringify(body), signal: options.signal,
});
export const remove = (path) => ask(path, { method: 'DELETE' });

/** Upload a file; `step` gets the share that has gone, 0 to 1. */
export function upload(path, file, step = () => {}) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    const form = new FormData();
    form.append('file', file, file.name || 'file');
    request.upload.onprogress = (event) => event.lengthComputable && step(event.loaded / event.total);
    request.onload = () => {
      let told;
      try { told = JSON.parse(request.responseText); } catch { told = {}; }
      if (request.status < 300) done(told);
      else failed(new Problem(told.error ?? { code: 'error', message: t('error.answer', { status: request.status }) }, request.status));
    };
    request.onerror = () => failed(new Problem({ code: 'unreachable', message: t('error.unreachable'), hint: t('error.unreachable_hint') }, 0));
    request.open('POST', here(path));
    request.send(form);
  });
}

/** Ask for a key, keep it in a cookie that no script reads, and begin anew. */
let asking;
function askKey() {
  asking ??= new Promise((done) => {
    const dialog = $('ask-key');
    dialog.querySelector('form').addEventListener('submit', async (event) => {
      event.preventDefault();
      try {
        await post('studio/key', { key: $('key').value.trim() });
        location.reload();
      } catch (problem) {
        tell('problem-key', problem);
      }
    });
    dialog.addEventListener('close', () => { asking = undefined; done(); });
    dialog.showModal();
  });
  return new Promise(() => {});
}

// --- problems beside the fields that caused them

const PLACES = {
  avatar: 'problem-avatar', face: 'problem-avatar', box: 'problem-avatar', crop: 'problem-avatar', file: 'problem-avatar',
  avatar_prompt: 'problem-describe', avatar_engine: 'problem-describe',
  text: 'problem-text', language: 'problem-voice', voice: 'problem-voice', voice_sample: 'problem-clone',
  speed: 'problem-voice', pitch: 'problem-voice', audio: 'problem-recording', transcript: 'problem-transcript',
  background: 'problem-background', matting: 'problem-background', fit: 'problem-background',
  captions: 'problem-captions', engine: 'problem-engine',
};

/** What to do about a problem, without what only a command line can do. */
export const hintOf = ({ hint }) => (hint ?? '').split(/(?<=[.!?]) /).filter((sentence) => !/`|(^|\s)--[a-z]/.test(sentence)).join(' ');

/** What to show of a problem. The service tells it in English: in other languages its kind comes first. */
export function inWords(problem) {
  const told = [problem.message, hintOf(problem)].filter(Boolean).join(' ');
  const kind = language === 'en' ? '' : known(`code.${problem.code}`, '');
  return kind ? [`${kind} `, make('span', { lang: 'en', text: told })] : [told];
}

/** Show a problem at a place, in words. */
export function tell(place, problem) {
  if (problem.name === 'AbortError') return;
  const box = $(place);
  box.replaceChildren(...(problem instanceof Problem ? inWords(problem) : [t('error.page')]));
  if (!(problem instanceof Problem)) console.error(problem);
  box.hidden = false;
}

/** Show a problem beside the field that caused it, or at `otherwise`. */
export function tellBeside(problem, otherwise, places = {}) {
  const place = places[problem.field] ?? PLACES[problem.field] ?? otherwise;
  const seen = $(place)?.closest('[role=tabpanel]')?.hidden;
  tell(seen ? otherwise : place, problem);
  if (!seen) $(place).scrollIntoView({ block: 'nearest', behavior: 'smooth' });
}

export function clear(...places) { for (const place of places) $(place).hidden = true; }
