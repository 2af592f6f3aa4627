// A sound with its waveform: played, paused and sought by mouse and keys.

import { make, seconds, t } from './dom.js';

const BARS = 160;

export class Wave {
  constructor(box, label) {
    this.box = box;
    this.audio = new Audio();
    this.button = make('button', { type: 'button', class: 'plain play', 'aria-label': t('play'), onclick: () => this.toggle() });
    this.canvas = make('canvas', { role: 'slider', tabIndex: 0, 'aria-label': label, 'aria-valuemin': '0', width: BARS * 5, height: 72 });
    this.time = make('span', { class: 'note' });
    box.append(this.button, this.canvas, this.time);
    this.canvas.addEventListener('pointerdown', (event) => this.to(event.offsetX / this.canvas.clientWidth * this.audio.duration));
    this.canvas.addEventListener('keydown', (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1, Home: -1e9, End: 1e9 }[event.key];
      if (event.key === ' ' || event.key === 'Enter') { event.preventDefault(); this.toggle(); }
      if (by) { event.preventDefault(); this.to(this.audio.currentTime + by); }
    });
    for (const name of ['play', 'pause', 'ended']) this.audio.addEventListener(name, () => this.shown());
    for (const name of ['timeupdate', 'loadedmetadata', 'seeked']) this.audio.addEventListener(name, () => this.draw());
    addEventListener('avatalk:theme', () => { if (!box.hidden) this.draw(); });
  }

  hide() {
    this.audio.pause();
    this.box.hidden = true;
  }

  /** Show a sound, and play it at once if so wanted. */
  async show(blob, play = true) {
    URL.revokeObjectURL(this.audio.src);
    this.audio.src = URL.createObjectURL(blob);
    this.box.hidden = false;
    this.peaks = [];
    try {
      const context = new OfflineAudioContext(1, 1, 24000);
      const sound = await context.decodeAudioData(await blob.arrayBuffer());
      const data = sound.getChannelData(0);
      const step = Math.max(1, Math.floor(data.length / BARS));
      for (let at = 0; at + step <= data.length && this.peaks.length < BARS; at += step) {
        let peak = 0;
        for (let index = at; index < at + step; index += 7) peak = Math.max(peak, Math.abs(data[index]));
        this.peaks.push(peak);
      }
      this.length = sound.duration;
    } catch { /* no waveform of this kind of file; it can be heard all the same */ }
    this.draw();
    this.shown();
    if (play) this.audio.play().catch(() => {});
  }

  toggle() { if (this.audio.paused) this.audio.play(); else this.audio.pause(); }

  to(at) {
    if (!Number.isFinite(this.audio.duration)) return;
    this.audio.currentTime = Math.min(Math.max(0, at), this.audio.duration);
  }

  shown() {
    this.button.classList.toggle('playing', !this.audio.paused);
    this.button.setAttribute('aria-label', t(this.audio.paused ? 'play' : 'pause'));
  }

  draw() {
    const length = Number.isFinite(this.audio.duration) ? this.audio.duration : this.length ?? 0;
    const { canvas } = this;
    const pen = canvas.getContext('2d');
    const style = getComputedStyle(this.box);
    const most = Math.max(0.05, ...this.peaks);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    for (const [index, peak] of this.peaks.entries()) {
      const height = Math.max(3, peak / most * (canvas.height - 4));
      const past = index / this.peaks.length < this.audio.currentTime / (length || 1);
      pen.fillStyle = style.getPropertyValue(past ? '--accent' : '--faint');
      pen.fillRect(index * 5, (canvas.height - height) / 2, 3, height);
    }
    this.time.textContent = `${seconds(this.audio.currentTime)} / ${seconds(length)}`;
    canvas.setAttribute('aria-valuemax', length.toFixed(1));
    canvas.setAttribute('aria-valuenow', this.audio.currentTime.toFixed(1));
    canvas.setAttribute('aria-valuetext', this.time.textContent);
  }
}
