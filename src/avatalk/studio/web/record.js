// The microphone: one button begins and ends a recording.

import { Problem, clear, tell } from './api.js';
import { seconds, t } from './dom.js';

export class Recorder {
  constructor(button, shown, place, taken) {
    Object.assign(this, { button, shown, place, taken, on: null });
  }

  async toggle() {
    if (this.on) { this.on.stop(); return; }
    clear(this.place);
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch {
      tell(this.place, new Problem({ message: t(navigator.mediaDevices ? 'error.microphone' : 'error.microphone_insecure') }, 0));
      return;
    }
    const parts = [];
    const began = Date.now();
    this.on = new MediaRecorder(stream);
    this.on.ondataavailable = (event) => parts.push(event.data);
    const clock = setInterval(() => { this.shown.textContent = t('record.on', { time: seconds((Date.now() - began) / 1000) }); }, 250);
    this.on.onstop = () => {
      clearInterval(clock);
      for (const track of stream.getTracks()) track.stop();
      const type = this.on.mimeType.split(';')[0] || 'audio/webm';
      this.on = null;
      this.button.textContent = t('record.start');
      this.button.classList.remove('recording');
      this.shown.classList.remove('recording');
      this.shown.hidden = true;
      this.taken(new File(parts, `${t('record.name')}.${type.split('/')[1]}`, { type }));
    };
    this.on.start();
    this.button.textContent = t('record.stop');
    this.button.classList.add('recording');
    this.shown.classList.add('recording');
    this.shown.hidden = false;
  }
}
