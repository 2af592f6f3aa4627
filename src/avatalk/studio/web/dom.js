// Small helpers of all parts: finding and making elements, tabs, and the words of the page.

export const $ = (id) => document.getElementById(id);

/** Make an element: make('button', {class: 'plain', onclick: f, text: 'Go'}, child, …). */
export function make(tag, given = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'text') element.textContent = value;
    else if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name in element && name !== 'list' && name !== 'form') element[name === 'class' ? 'className' : name] = value;
    else if (name === 'class') element.className = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

let words = {};
export let language = 'en';

/** The words of a key, with {name} replaced by what is given. */
export function t(key, given = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => given[name] ?? '');
}

/** The words of a key, or what is given where there are none: of what others may add, such as engines. */
export const known = (key, otherwise) => words[key] ?? otherwise;

/** What people call an engine. */
export const engineName = ({ name }) => known(`engine_name.${name}`, name);

/** Load the words of a language. */
export async function learn(chosen) {
  language = chosen;
  words = await (await fetch(here(`studio/strings/${chosen}.json`))).json();
}

/** Put the words into the page. */
export function speak() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll('[data-t]')) element.textContent = t(element.dataset.t);
  for (const [name, attribute] of [['tLabel', 'aria-label'], ['tPlaceholder', 'placeholder'], ['tTitle', 'title']]) {
    const selector = `[data-${name.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`)}]`;
    for (const element of document.querySelectorAll(selector)) element.setAttribute(attribute, t(element.dataset[name]));
  }
  document.title = t('head.title');
}

/** The address of something of this service, wherever it is mounted. */
export const here = (path) => new URL(path.replace(/^\//, ''), document.baseURI).href;

/** The address of a video that browsers save under that name. */
export const savedAs = (path, name) => `${here(path)}?${new URLSearchParams({ name: name.slice(0, 60).replace(/[\s.…]+$/, '') })}`;

/** Make the tabs of a group work by mouse and keys; `changed` gets the name of the tab in front. */
export function tabs(group, front, changed) {
  const buttons = [...document.querySelector(`[data-tabs="${group}"]`).querySelectorAll('[role=tab]')];
  const show = (name, told = true) => {
    for (const button of buttons) {
      const chosen = button.dataset.tab === name;
      button.setAttribute('aria-selected', chosen);
      button.tabIndex = chosen ? 0 : -1;
      $(button.getAttribute('aria-controls')).hidden = !chosen;
    }
    if (told) changed(name);
  };
  for (const [index, button] of buttons.entries()) {
    button.addEventListener('click', () => show(button.dataset.tab));
    button.addEventListener('keydown', (event) => {
      const back = document.dir === 'rtl' ? 'ArrowRight' : 'ArrowLeft';
      const on = document.dir === 'rtl' ? 'ArrowLeft' : 'ArrowRight';
      const to = { [back]: index - 1, [on]: index + 1, Home: 0, End: buttons.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      const next = buttons[(to + buttons.length) % buttons.length];
      next.focus();
      show(next.dataset.tab);
    });
  }
  show(front, false);
  return show;
}

/** A group of radio buttons that look like one bar; `changed` gets the value chosen. */
export function segments(box, name, options, chosen, changed) {
  box.replaceChildren(...options.map(([value, text]) => make('label', {},
    make('input', { type: 'radio', name, value, checked: value === chosen, onchange: () => changed(value) }),
    make('span', { text }))));
}

/** Take a file that is dropped on `area`, which shows that it will. */
export function dropped(area, taken) {
  for (const name of ['dragenter', 'dragover']) area.addEventListener(name, (event) => { if (holdsFiles(event)) { event.preventDefault(); area.classList.add('over'); } });
  area.addEventListener('dragleave', (event) => { if (!area.contains(event.relatedTarget)) area.classList.remove('over'); });
  area.addEventListener('drop', (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    area.classList.remove('over');
    taken(event.dataTransfer.files[0]);
  });
}

/** Whether files are dragged, and not words of the page. */
export const holdsFiles = (event) => event.dataTransfer?.types.includes('Files');

/** Say something to those who listen to the page. */
export function say(text) { $('said').textContent = text; }

export const seconds = (value) => {
  const whole = Math.max(0, Math.round(value));
  const two = (part) => String(part % 60).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (!minutes) return t('seconds', { n: whole });
  return minutes < 60 ? t('minutes', { m: minutes, s: two(whole) }) : t('hours', { h: Math.floor(minutes / 60), m: two(minutes), s: two(whole) });
};

export const number = (value, digits = 0) => new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);

/** Wait until nothing has called for `ms` milliseconds; `never` takes the call back. */
export function later(work, ms) {
  let timer;
  const soon = () => { clearTimeout(timer); timer = setTimeout(work, ms); };
  soon.never = () => clearTimeout(timer);
  return soon;
}
