// Models: what is installed, what each would add, under which licence; installed with one click.

import { $, known, make, number, say, t } from './dom.js';
import { Problem, clear, get, inWords, post, tell, upload } from './api.js';

const STAGES = ['lipsync', 'speech', 'avatar', 'compose', 'face'];

let timer;

export function start() {
  $('model-pick').addEventListener('click', () => $('model-file').click());
  $('model-file').addEventListener('change', async () => {
    const file = $('model-file').files[0];
    $('model-file').value = '';
    if (!file) return;
    clear('problem-import');
    $('model-busy').hidden = false;
    try {
      const told = await upload(`studio/models?accept_licence=${$('model-accept').checked}`, file, (share) => { $('model-busy').textContent = t('uploading', { percent: Math.round(share * 100) }); });
      say(t('models.imported', { name: told.model }));
      await open();
    } catch (problem) {
      tell('problem-import', problem);
    } finally {
      $('model-busy').hidden = true;
    }
  });
}

export async function open() {
  clearTimeout(timer);
  try {
    clear('problem-models');
    const { data } = await get('studio/models');
    const order = (model) => STAGES.indexOf(model.stage);
    data.sort((one, other) => order(one) - order(other));
    const box = $('model-list');
    while (box.children.length > data.length) box.lastChild.remove();
    for (const [index, model] of data.entries()) { // what is as it was stays: it may hold the focus, or a tick
      const old = box.children[index];
      const now = JSON.stringify(model);
      if (old?.dataset.shows === now) continue;
      const within = old?.contains(document.activeElement);
      const fresh = row(model);
      fresh.dataset.shows = now;
      if (old) old.replaceWith(fresh);
      else box.append(fresh);
      if (within) (fresh.querySelector('button') ?? fresh.querySelector('h3')).focus();
    }
    if (data.some((model) => model.state?.running) && !$('models').hidden) timer = setTimeout(open, 1000);
  } catch (problem) {
    tell('problem-models', problem);
    if (!problem.status && !$('models').hidden) timer = setTimeout(open, 3000); // it may be back soon
  }
}

const size = (mb) => (mb >= 1000 ? `${number(mb / 1000, 1)} GB` : mb ? `${number(mb, mb < 10 ? 1 : 0)} MB` : '');

/** A model in words of the page; those that others may add tell of themselves. */
function about(model) {
  const [kind, ...rest] = model.name.split(':');
  const name = rest.join(':');
  return { title: known(`model_title.${kind}`, model.title).replace('{name}', name), adds: known(`model.${kind}`, model.adds),
    licence: kind === 'piper' ? t('models.accept_voice') : t('models.accept', { licence: model.licence }) };
}

function row(model) {
  const { state } = model;
  const { title, adds, licence } = about(model);
  const act = make('div', { class: 'row' });
  if (model.installed) act.append(make('strong', { class: 'good', text: t('models.installed') }));
  else if (state?.running) {
    act.append(make('progress', { max: 1, ...(state.share === null ? {} : { value: state.share }), 'aria-label': t('models.installing', { name: title }) }),
      make('button', { type: 'button', class: 'small', text: t('cancel'), onclick: () => act_on(model, 'cancel') }));
  } else {
    act.append(make('button', { type: 'button', id: `install-${model.name}`, text: t('models.install'), 'aria-label': t('models.install_name', { name: title }),
      onclick: () => act_on(model, 'install') }));
  }
  const consent = !model.installed && !model.accepted
    ? make('label', { class: 'check' }, make('input', { type: 'checkbox', id: `accept-${model.name}` }), make('span', { text: licence })) : null;
  return make('li', { class: 'card model' },
    make('div', { class: 'grow stack' }, make('h3', { text: title, tabIndex: -1 }),
      make('p', { text: adds }),
      make('p', { class: 'note', text: [model.stage && t(`stage_name.${model.stage}`), size(model.mb), consent ? '' : model.licence.replace(/, non-commercial$/, ''), model.commercial ? '' : t('models.noncommercial')].filter(Boolean).join(' · ') }),
      model.needs && make('p', { class: 'note', text: t('models.needs', { get: model.needs }) }),
      consent, make('p', { class: 'problem', id: `problem-${model.name}`, role: 'alert', hidden: true }), state?.problem && make('p', { class: 'problem', role: 'alert' }, ...inWords(state.problem))),
    act);
}

async function act_on(model, what) {
  clear('problem-models');
  const consent = $(`accept-${model.name}`);
  if (what === 'install' && consent && !consent.checked) {
    tell(`problem-${model.name}`, new Problem({ message: t('models.accept_first', { name: about(model).title }) }, 0));
    consent.focus();
    return;
  }
  try {
    await post(`studio/models/${encodeURIComponent(model.name)}/${what}`, { accept_licence: consent?.checked ?? model.accepted });
  } catch (problem) {
    tell('problem-models', problem);
  }
  await open();
}
