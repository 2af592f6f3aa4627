// A table becomes videos: one for each row, its values put into the text.

import { $, dropped, here, make, number, savedAs, say, t } from './dom.js';
import { Problem, clear, get, inWords, post, tell } from './api.js';
import { keep, missing, request, state } from './state.js';

const MOST_SHOWN = 4;
const LOOK_EVERY_MS = 1500;

let timer;

export function start() {
  $('batch-pick').addEventListener('click', () => $('batch-file').click());
  $('batch-file').addEventListener('change', () => { take($('batch-file').files[0]); $('batch-file').value = ''; });
  dropped($('batch'), take);
  $('batch-text').addEventListener('input', () => { state.batch.text = $('batch-text').value; keep(); filled(); });
  $('batch-go').addEventListener('click', go);
  $('batch-cancel').addEventListener('click', async () => {
    try { await post(`v1/batches/${state.batch.id}/cancel`, {}); } catch (problem) { tell('problem-batch', problem); }
  });
}

export function open() {
  table();
  if (state.batch.id) look();
}

/** The cells of a CSV file: comma, semicolon or tab between them, quotes around what holds these (RFC 4180). */
export function cells(text) {
  const plain = text.replace(/^\ufeff/, '');
  const head = plain.split(/\r?\n/, 1)[0];
  const between = [',', ';', '\t'].sort((one, other) => head.split(other).length - head.split(one).length)[0];
  const rows = [[]];
  let cell = '';
  let quoted = false;
  for (let at = 0; at < plain.length; at += 1) {
    const letter = plain[at];
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (plain[at + 1] === '"') { cell += '"'; at += 1; } else quoted = false;
    } else if (letter === '"' && !cell) quoted = true;
    else if (letter === between) { rows.at(-1).push(cell); cell = ''; } else if (letter === '\n') {
      rows.at(-1).push(cell.replace(/\r$/, ''));
      cell = '';
      rows.push([]);
    } else cell += letter;
  }
  rows.at(-1).push(cell.replace(/\r$/, ''));
  return rows.filter((row) => row.some((one) => one.trim()));
}

/** The text of a file: UTF-8, what spreadsheets call "Unicode text", or what those of Western Europe write. */
async function textOf(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  try { return new TextDecoder('utf-8', { fatal: true }).decode(bytes); } catch { return new TextDecoder('windows-1252').decode(bytes); }
}

async function take(file) {
  clear('problem-batch-file', 'problem-batch');
  const text = await textOf(file);
  const [head, ...rows] = text.includes('\0') ? [] : cells(text);
  const columns = (head ?? []).map((name) => name.trim());
  if (!rows.length || columns.some((name) => !name) || new Set(columns).size < columns.length) {
    tell('problem-batch-file', new Problem({ message: t('batch.no_table') }, 0));
    return;
  }
  const { batch } = state;
  batch.columns = columns;
  batch.rows = rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index] ?? ''])));
  if (!columns.some((name) => batch.text.includes(`{${name}}`))) batch.text = t('batch.first', { column: `{${columns[0]}}` });
  keep();
  table();
}

function table() {
  const { batch } = state;
  $('batch-made').hidden = !batch.rows.length;
  $('batch-drop').classList.toggle('filled', batch.rows.length > 0);
  if (!batch.rows.length) return;
  $('batch-table').replaceChildren(
    make('thead', {}, make('tr', {}, ...batch.columns.map((name) => make('th', { scope: 'col', text: name })))),
    make('tbody', {}, ...batch.rows.slice(0, MOST_SHOWN).map((row) => make('tr', {}, ...batch.columns.map((name) => make('td', { dir: 'auto', text: row[name] }))))));
  $('batch-count').textContent = t('batch.count', { n: number(batch.rows.length) });
  $('batch-text').value = batch.text;
  $('batch-columns').replaceChildren(...batch.columns.map((name) => make('button', { type: 'button', class: 'small', text: `{${name}}`,
    'aria-label': t('batch.insert', { name }), onclick: () => {
      const box = $('batch-text');
      box.setRangeText(`{${name}}`, box.selectionStart, box.selectionEnd, 'end');
      box.dispatchEvent(new Event('input'));
      box.focus();
    } })));
  $('batch-go').textContent = t('batch.go', { n: number(batch.rows.length) });
  filled();
}

function filled() {
  const { batch } = state;
  $('batch-first').textContent = t('batch.example', { text: batch.text.replace(/\{([^{}]+)\}/g, (all, name) => batch.rows[0]?.[name] ?? all) });
}

async function go() {
  clear('problem-batch');
  const lacks = missing();
  if (lacks && /avatar|describe/.test(lacks[0])) { tell('problem-batch', new Problem({ message: lacks[1], code: lacks[2] }, 0)); return; }
  const { batch } = state;
  const template = request();
  for (const name of ['audio', 'transcript']) delete template[name];
  template.text = batch.text;
  $('batch-go').disabled = true;
  try {
    const made = await (await post('v1/batches', { template, rows: batch.rows })).json();
    batch.id = made.id;
    keep();
    say(t('job.begun'));
    look();
  } catch (problem) {
    tell('problem-batch', problem);
  } finally {
    $('batch-go').disabled = false;
  }
}

async function look() {
  clearTimeout(timer);
  const { batch } = state;
  let made;
  try {
    made = await get(`v1/batches/${batch.id}`);
  } catch (problem) {
    if (problem.status === 404) { batch.id = null; keep(); $('batch-state').hidden = true; } else if (!$('batch').hidden) timer = setTimeout(look, 2 * LOOK_EVERY_MS); // it may be back soon
    return;
  }
  const running = ['queued', 'processing'].includes(made.status);
  $('batch-state').hidden = false;
  $('batch-progress').value = made.progress;
  $('batch-cancel').hidden = !running;
  $('batch-shown').textContent = t('batch.state', { done: number(made.counts.completed ?? 0), all: number(made.total) });
  const box = $('batch-grid');
  while (box.children.length > made.rows.length) box.lastChild.remove();
  for (const [index, row] of made.rows.entries()) {
    const old = box.children[index];
    if (old?.dataset.status === row.status && old?.dataset.video === String(row.video)) continue;
    const tile = cell(row);
    if (old) old.replaceWith(tile);
    else box.append(tile);
  }
  if (running && !$('batch').hidden) timer = setTimeout(look, LOOK_EVERY_MS);
}

function cell(row) {
  const name = Object.values(row.values)[0] ?? row.row;
  const video = `v1/videos/${row.video}`;
  const done = row.status === 'completed';
  const box = make('li', { class: 'clip card' });
  box.dataset.status = row.status;
  box.dataset.video = row.video;
  const cover = make('button', { type: 'button', class: 'cover', disabled: !done, 'aria-label': t('library.play', { title: name }), onclick: () => {
    const player = make('video', { src: here(`${video}/content`), controls: true, autoplay: true, playsInline: true, 'aria-label': name });
    cover.replaceWith(player);
    player.focus();
  } }, done ? make('img', { src: here(`${video}/thumbnail`), alt: '', loading: 'lazy' }) : make('span', { class: 'blank', text: t(`status.${row.status}`) }));
  box.append(cover, make('p', { class: 'title', dir: 'auto', text: `${row.row}. ${name}` }));
  if (done) box.append(make('p', {}, make('a', { class: 'button small', href: savedAs(`${video}/content`, `${row.row} ${name}`), download: '', text: t('library.download'), 'aria-label': `${t('library.download')}: ${name}` })));
  if (row.error) box.append(make('p', { class: 'problem' }, ...inWords(row.error)));
  return box;
}
