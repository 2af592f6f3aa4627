// Step 1: who speaks. The tab in front is the source.

import { $, dropped, here, known, make, number, say, t, tabs } from './dom.js';
import { Problem, clear, get, post, tell, upload } from './api.js';
import { changed, keep, state } from './state.js';

const AGAIN_MS = 3000; // when the service could not be reached

let avatars = [];
let engines = [];
let making = null;
let taking = 0; // the number of the latest file: only that one is wanted

export function start() {
  tabs('avatar', state.avatar.tab, (name) => { state.avatar.tab = name; dark(); changed('avatar'); });
  $('avatar-filter').addEventListener('input', gallery);
  uploads();
  describing();
  fill();
}

async function fill() {
  try {
    [avatars, engines] = (await Promise.all([get('v1/avatars'), get('v1/engines')])).map((answer) => answer.data);
    named();
    clear('problem-page');
  } catch (problem) {
    tell('problem-page', problem);
    if (!problem.status) setTimeout(fill, AGAIN_MS); // the service may be back soon
    return;
  }
  if (!avatars.some((avatar) => avatar.name === state.avatar.gallery)) state.avatar.gallery = avatars[0].name;
  gallery();
  makers();
  changed('known');
}

/** What the people of the gallery are like, in the language of the page. */
function named() {
  for (const avatar of avatars) if (avatar.engine === 'gallery') avatar.description = known(`person.${avatar.name}`, avatar.description);
}

// --- gallery

export const pictureOf = (avatar) => (avatar.engine === 'gallery' ? here(`studio/web/faces/${avatar.name}.webp`) : here(avatar.picture));

function gallery() {
  const wanted = $('avatar-filter').value.trim().toLowerCase();
  const shown = avatars.filter((avatar) => `${avatar.name} ${avatar.description}`.toLowerCase().includes(wanted));
  $('faces').replaceChildren(...shown.map((avatar) => make('label', { class: 'face', title: avatar.description },
    make('input', { type: 'radio', name: 'avatar', value: avatar.name, checked: avatar.name === state.avatar.gallery,
      'aria-label': `${titled(avatar.name)}: ${avatar.description}`,
      onchange: () => { state.avatar.gallery = avatar.name; about(); changed('avatar'); } }),
    make('img', { src: pictureOf(avatar), alt: '', width: 160, height: 160 }),
    make('span', { text: titled(avatar.name) }))));
  if (!shown.length) $('faces').append(make('p', { class: 'note', text: t('avatar.none') }));
  about();
}

function about() {
  const chosen = avatars.find((avatar) => avatar.name === state.avatar.gallery);
  const there = $('faces').querySelector('input:checked'); // else a search has put it out of view
  $('avatar-about').textContent = !chosen ? '' : there ? `${titled(chosen.name)}: ${chosen.description}.` : t('avatar.stays', { name: titled(chosen.name) });
}

export const titled = (name) => name.charAt(0).toUpperCase() + name.slice(1);

// --- upload

function uploads() {
  $('avatar-pick').addEventListener('click', () => $('avatar-file').click());
  $('avatar-file').addEventListener('change', () => { take($('avatar-file').files[0]); $('avatar-file').value = ''; });
  dropped($('avatar-title').closest('section'), (file) => { $('avatar-tab-upload').click(); take(file); });
  addEventListener('paste', (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((one) => /^(image|video)\//.test(one.type));
    if (!file || state.view !== 'create') return;
    event.preventDefault();
    $('avatar-tab-upload').click();
    take(file);
  });
  $('avatar-camera').addEventListener('click', camera);
  $('camera-take').addEventListener('click', photograph);
  $('camera-stop').addEventListener('click', dark);
  $('static').addEventListener('change', () => { state.avatar.upload.static = $('static').checked; changed('avatar'); });
  if (state.avatar.upload?.again) look(state.avatar.upload);
  else uploaded();
}

/** The faces of a picture that was uploaded before. */
async function look({ id, static: still }) {
  try {
    state.avatar.upload = { id, ...(await get(`studio/faces/${id}`)), static: still };
    if (state.avatar.upload.faces.length > 1) state.avatar.face ??= state.avatar.upload.chosen;
  } catch {
    state.avatar.upload = null;
  }
  uploaded();
  changed('avatar');
}

async function take(file) {
  if (!file) return;
  taking += 1;
  const mine = taking;
  clear('problem-avatar');
  const busy = $('avatar-busy');
  busy.hidden = false;
  busy.textContent = t('uploading', { percent: 0 });
  try {
    const asset = await upload('v1/assets', file, (share) => {
      if (mine === taking) busy.textContent = share < 1 ? t('uploading', { percent: Math.round(share * 100) }) : t('avatar.looking');
    });
    if (asset.kind === 'sound') throw new Problem({ message: t('avatar.is_sound') }, 0);
    const seen = await get(`studio/faces/${asset.id}`);
    if (mine !== taking) return;
    state.avatar.upload = { id: asset.id, ...seen, name: file.name || t('avatar.photo') };
    const moves = engines.some((engine) => engine.stage === 'lipsync' && engine.ready && engine.takes.includes('clip'));
    state.avatar.upload.static = seen.clip && !moves; // what moves the lips of a clip is not installed
    state.avatar.face = seen.faces.length > 1 ? seen.chosen : null;
    uploaded();
    say(seen.faces.length ? t('avatar.found', { n: seen.faces.length }) : seen.problem);
    changed('avatar');
  } catch (problem) {
    if (mine === taking) tell('problem-avatar', problem);
  } finally {
    if (mine === taking) busy.hidden = true;
  }
}

function uploaded() {
  const { upload: has, face } = state.avatar;
  $('uploaded').hidden = !has;
  $('avatar-drop').classList.toggle('filled', Boolean(has));
  $('findings').replaceChildren();
  $('face-marks').replaceChildren();
  if (!has) return;
  const picture = $('uploaded-picture');
  picture.src = here(`studio/pictures/${has.id}`);
  picture.alt = t('avatar.your', { name: has.name });
  picture.onerror = () => { state.avatar.upload = null; keep(); uploaded(); };
  const many = has.faces.length > 1;
  $('face-marks').replaceChildren(...has.faces.map(([left, top, right, bottom], index) => {
    const chosen = !many || face === index + 1;
    const place = `left:${100 * left / has.width}%;top:${100 * top / has.height}%;width:${100 * (right - left) / has.width}%;height:${100 * (bottom - top) / has.height}%`;
    if (!many) return make('span', { class: 'mark chosen', style: place });
    return make('button', { type: 'button', class: `mark${chosen ? ' chosen' : ''}`, style: place, 'aria-pressed': String(chosen),
      'aria-label': t('avatar.face', { n: index + 1, of: has.faces.length }),
      onclick: () => { state.avatar.face = index + 1; uploaded(); $('face-marks').children[index].focus(); changed('avatar'); } }, make('b', { text: index + 1 }));
  }));
  $('uploaded-about').textContent = [has.name, `${has.width} × ${has.height}`, has.clip ? t('avatar.clip') : '',
    many ? t('avatar.which') : ''].filter(Boolean).join(' · ');
  $('first-frame').hidden = !has.clip;
  $('static').checked = Boolean(has.static);
  $('findings').replaceChildren(...has.findings.map((rule) => make('li', { text: t(`finding.${rule}`) })));
  if (has.problem) tell('problem-avatar', new Problem({ code: 'no_usable_face', message: has.problem }, 0));
}

async function camera() {
  clear('problem-avatar');
  dark();
  if (!navigator.mediaDevices) { tell('problem-avatar', new Problem({ message: t('error.camera_insecure') }, 0)); return; }
  try {
    $('camera-view').srcObject = await navigator.mediaDevices.getUserMedia({ video: { width: 1280, height: 720, facingMode: 'user' } });
    if (state.avatar.tab !== 'upload') { dark(); return; } // left before the camera was there
    $('camera-take').disabled = true; // until there is something to take
    $('camera').hidden = false;
    $('avatar-drop').hidden = true;
    await $('camera-view').play();
    $('camera-take').disabled = false;
    $('camera-take').focus();
  } catch {
    if (state.avatar.tab === 'upload') tell('problem-avatar', new Problem({ message: t('error.camera') }, 0));
  }
}

/** Close the camera. */
export function dark() {
  for (const track of $('camera-view').srcObject?.getTracks() ?? []) track.stop();
  $('camera-view').srcObject = null;
  $('camera').hidden = true;
  $('avatar-drop').hidden = false;
}

function photograph() {
  const view = $('camera-view');
  const canvas = make('canvas', { width: view.videoWidth, height: view.videoHeight });
  canvas.getContext('2d').drawImage(view, 0, 0);
  canvas.toBlob((blob) => { dark(); take(new File([blob], 'camera.jpg', { type: 'image/jpeg' })); }, 'image/jpeg', 0.95);
}

// --- describe

function makers() {
  const all = engines.filter((engine) => engine.stage === 'avatar' && ['drawn', 'diffusion'].includes(engine.name));
  const { describe } = state.avatar;
  $('describe-engine').replaceChildren(make('option', { value: 'auto', text: t('engine.auto') }),
    ...all.map((engine) => make('option', { value: engine.name, text: t(`maker.${engine.name}`) + (engine.ready ? '' : ` (${t('engine.missing')})`) })));
  $('describe-engine').value = describe.engine;
  const explain = () => {
    const auto = all.find((engine) => engine.ready) ?? all[0];
    const chosen = describe.engine === 'auto' ? auto : all.find((engine) => engine.name === describe.engine);
    if (!chosen) return;
    $('describe-engine-about').textContent = [t(`maker.${chosen.name}_about`), chosen.ready ? '' : t('engine.get')].filter(Boolean).join(' ');
  };
  $('describe-engine').onchange = () => { describe.engine = $('describe-engine').value; explain(); keep(); };
  explain();
}

function describing() {
  const { describe } = state.avatar;
  $('describe-prompt').value = describe.prompt;
  $('describe-prompt').addEventListener('input', () => { describe.prompt = $('describe-prompt').value; keep(); });
  $('describe-count').value = describe.count;
  $('describe-count').addEventListener('change', () => {
    describe.count = Math.min(8, Math.max(1, Math.round(Number($('describe-count').value)) || 1));
    $('describe-count').value = describe.count;
    keep();
  });
  $('describe-make').addEventListener('click', imagine);
  $('describe-cancel').addEventListener('click', () => making?.abort());
  $('describe-keep').addEventListener('click', keepIt);
  results();
}

async function imagine() {
  const { describe } = state.avatar;
  clear('problem-describe', 'problem-keep');
  if (!describe.prompt.trim()) {
    tell('problem-describe', new Problem({ message: t('missing.prompt') }, 0));
    $('describe-prompt').focus();
    return;
  }
  making = new AbortController();
  busy(true);
  describe.results = [];
  results();
  try {
    const wish = { description: describe.prompt, engine: describe.engine, count: describe.count, seed: Math.floor(Math.random() * 1e9) };
    $('describe-busy').textContent = t('describe.busy', { n: 1, of: describe.count });
    let creation = await (await post('v1/avatars', wish, { signal: making.signal })).json();
    for (;;) {
      describe.results = creation.data.map(({ asset, engine, warnings }) => ({ id: asset, engine, warnings }));
      if (describe.results.length && !describe.results.some((one) => one.id === describe.chosen)) { describe.chosen = describe.results[0].id; changed('avatar'); }
      results();
      if (!['queued', 'processing'].includes(creation.status)) break;
      const share = creation.progress * describe.count;
      $('describe-busy').textContent = `${t('describe.busy', { n: Math.min(describe.count, Math.floor(share) + 1), of: describe.count })} ${number(100 * creation.progress)} %`;
      await new Promise((done) => { setTimeout(done, 700); });
      try {
        if (making.signal.aborted) creation = await (await post(`v1/avatars/creations/${creation.id}/cancel`, {})).json();
        else creation = await get(`v1/avatars/creations/${creation.id}`);
      } catch (problem) {
        if (problem.status) throw problem; // else the service may be back soon
      }
    }
    if (creation.error) throw new Problem(creation.error, 0);
    if (creation.status === 'completed') say(t('describe.done', { n: creation.data.length }));
  } catch (problem) {
    tell('problem-describe', problem);
  } finally {
    busy(false);
    keep();
  }
}

function busy(is) {
  $('describe-busy').hidden = !is;
  $('describe-cancel').hidden = !is;
  $('describe-make').disabled = is;
  if (!is) making = null;
}

function results() {
  const { describe } = state.avatar;
  $('described').replaceChildren(...describe.results.map((one, index) => make('label', { class: 'face' },
    make('input', { type: 'radio', name: 'described', value: one.id, checked: one.id === describe.chosen,
      'aria-label': t('describe.result', { n: index + 1 }), onchange: () => { describe.chosen = one.id; changed('avatar'); } }),
    make('img', { src: here(`studio/pictures/${one.id}?height=320`), alt: '', width: 160, height: 160,
      onerror: () => { describe.results = []; describe.chosen = null; results(); } }),
    make('span', { text: number(index + 1) }))));
  $('describe-keep-row').hidden = !describe.results.length;
  const notes = describe.results.find((one) => one.id === describe.chosen)?.warnings ?? [];
  $('describe-kept').textContent = notes.join(' ');
}

async function keepIt() {
  clear('problem-keep');
  try {
    await post('studio/avatars', { asset: state.avatar.describe.chosen, name: $('describe-name').value });
    $('describe-kept').textContent = t('describe.is_kept', { name: titled($('describe-name').value.trim().toLowerCase()) });
    $('describe-name').value = '';
    avatars = (await get('v1/avatars')).data;
    named();
    gallery();
  } catch (problem) {
    tell('problem-keep', problem);
  }
}

/** The engines there are, once they are known. */
export const allEngines = () => engines;
export const allAvatars = () => avatars;
