// Under the player: the words as they are spoken, and how far the lips open. A click seeks; a sentence can be corrected.

import { $, make, t } from './dom.js';
import { post, tell } from './api.js';

const SCALE = 4; // pixels of the curve a value

let shown = null; // the id of the video whose words these are
let words = [];
let sentences = []; // as they are said now, by their numbers
let mouth = [];

addEventListener('avatalk:theme', () => { if (mouth.length) draw(); });

/** Offer the timeline of a finished video; it is worked out when somebody opens it. */
export function offer(video, corrected) {
  const box = $('timeline');
  box.hidden = false;
  if (shown === video.id) return;
  shown = video.id;
  box.open = false;
  $('timeline-correct').hidden = true;
  $('timeline-words').replaceChildren();
  box.ontoggle = () => { if (box.open && !$('timeline-words').childElementCount) fill(video, corrected); };
}

export function withdraw() { $('timeline').hidden = true; }

async function fill(video, corrected) {
  $('timeline-busy').hidden = false;
  $('problem-timeline').hidden = true;
  try {
    const { background, captions, ...request } = video.request;
    const told = await (await post('studio/speech?sound=false', request)).json();
    ({ words, mouth, sentences } = told);
    draw();
    list(video, corrected);
  } catch (problem) {
    tell('problem-timeline', problem);
  } finally {
    $('timeline-busy').hidden = true;
  }
}

function draw() {
  const canvas = $('timeline-mouth');
  const middle = canvas.height / 2;
  canvas.width = Math.max(1, mouth.length * SCALE);
  const pen = canvas.getContext('2d');
  pen.fillStyle = getComputedStyle(canvas).getPropertyValue('--accent');
  pen.beginPath();
  pen.moveTo(0, middle);
  for (const [index, open] of mouth.entries()) pen.lineTo(index * SCALE, middle - 1 - open * (middle - 2));
  for (let index = mouth.length - 1; index >= 0; index -= 1) pen.lineTo(index * SCALE, middle + 1 + mouth[index] * (middle - 2));
  pen.fill();
  const player = $('player');
  canvas.onpointerdown = (event) => { player.currentTime = event.offsetX / canvas.clientWidth * player.duration; };
  player.ontimeupdate = () => {
    $('timeline-now').style.insetInlineStart = `${100 * player.currentTime / (player.duration || 1)}%`;
    for (const [index, button] of [...$('timeline-words').children].entries()) {
      const { start_s: start, end_s: end } = words[index];
      const now = start <= player.currentTime && player.currentTime < end;
      if (now && !button.classList.contains('now')) reveal(button);
      button.classList.toggle('now', now);
    }
  };
}

/** Scroll the words, and not the page, so that one of them is in view. */
function reveal(button) {
  const box = button.parentElement;
  const top = button.offsetTop - box.offsetTop;
  if (top < box.scrollTop || top + button.offsetHeight > box.scrollTop + box.clientHeight) box.scrollTop = top - box.clientHeight / 3;
}

function list(video, corrected) {
  const box = $('timeline-words');
  box.replaceChildren(...words.map((word, index) => make('button', { type: 'button', class: 'word', text: word.text, tabIndex: index ? -1 : 0,
    onclick: () => { $('player').currentTime = word.start_s + 0.01; correct(video, index, corrected); } })));
  $('timeline-none').hidden = words.length > 0;
  box.onkeydown = (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const buttons = [...box.children];
    const next = by && buttons[buttons.indexOf(document.activeElement) + by];
    if (!next) return;
    event.preventDefault();
    document.activeElement.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  };
}

function correct(video, index, corrected) {
  const number = words[index].sentence;
  const said = sentences[number];
  if (!video.request.text || !said) return;
  const box = $('timeline-sentence');
  box.value = said;
  $('timeline-correct').hidden = false;
  const again = $('timeline-again');
  box.oninput = () => { again.disabled = [said, ''].includes(box.value.trim()); };
  box.oninput();
  again.onclick = () => corrected(video, number, box.value.trim());
}
