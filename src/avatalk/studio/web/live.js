// A video that plays while it is made: its fragments, put one after another into the player.

import { here } from './dom.js';

const TYPES = ['video/mp4; codecs="avc1.64001f, mp4a.40.2"', 'video/mp4; codecs="avc1.640028, mp4a.40.2"'];
const ASK_EVERY_MS = 800;
const MOST_TRIES = 100; // of a fragment, while the service cannot be reached

export class Live {
  constructor(player, id, begun) {
    Object.assign(this, { player, id, begun, whole: false, ended: false, running: false });
  }

  /** Begin to play as soon as there is something; a browser that cannot waits for the whole file. */
  go() {
    if (this.running || !('MediaSource' in window) || !TYPES.some((type) => MediaSource.isTypeSupported(type))) return;
    this.running = true;
    this.#play().catch(() => { this.running = true; this.whole = false; });
  }

  stop() { this.ended = true; }

  async #play() {
    let list = await this.#list();
    while (!list) {
      if (this.ended) return;
      await pause(ASK_EVERY_MS);
      list = await this.#list();
    }
    const source = new MediaSource();
    const { player } = this;
    player.src = URL.createObjectURL(source);
    await new Promise((done) => source.addEventListener('sourceopen', done, { once: true }));
    URL.revokeObjectURL(player.src);
    const opening = await bytes(list.opening);
    const buffer = source.addSourceBuffer(typeOf(opening));
    await put(buffer, opening);
    let next = 0;
    while (player.src) {
      for (; next < list.fragments.length; next += 1) {
        await put(buffer, await bytes(list.fragments[next]));
        if (next === 0) { this.begun(); this.whole = true; player.play().catch(() => {}); }
      }
      if (list.ended) { if (source.readyState === 'open') source.endOfStream(); return; }
      await pause(ASK_EVERY_MS);
      const later = await this.#list();
      if (!later && this.ended) { this.whole = false; return; }
      list = later ?? list;
    }
  }

  /** The playlist of what is finished, or null where there is nothing yet. */
  async #list() {
    const at = here(`v1/videos/${this.id}/hls/index.m3u8`);
    const answer = await fetch(at).catch(() => null); // the service may be back soon
    if (!answer?.ok) return null;
    const lines = (await answer.text()).split('\n').map((line) => line.trim());
    const opening = lines.find((line) => line.startsWith('#EXT-X-MAP'))?.match(/URI="([^"]+)"/)?.[1];
    const fragments = lines.filter((line) => line && !line.startsWith('#')).map((line) => new URL(line, at).href);
    return opening && fragments.length ? { opening: new URL(opening, at).href, fragments, ended: lines.includes('#EXT-X-ENDLIST') } : null;
  }
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function bytes(at) {
  for (let tries = 0; ; tries += 1) {
    const answer = await fetch(at).catch(() => null);
    if (answer?.ok) return new Uint8Array(await answer.arrayBuffer());
    if (answer || tries === MOST_TRIES) throw new Error(`${answer?.status}`);
    await pause(ASK_EVERY_MS);
  }
}

function put(buffer, data) {
  return new Promise((done, failed) => {
    buffer.addEventListener('updateend', done, { once: true });
    buffer.addEventListener('error', failed, { once: true });
    buffer.appendBuffer(data);
  });
}

/** The codecs, from the box of the H.264 configuration: its profile, constraints and level. */
function typeOf(opening) {
  for (let at = 0; at + 8 < opening.length; at += 1) {
    if (opening[at] === 0x61 && opening[at + 1] === 0x76 && opening[at + 2] === 0x63 && opening[at + 3] === 0x43) {
      const hex = [...opening.slice(at + 5, at + 8)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
      return `video/mp4; codecs="avc1.${hex}, mp4a.40.2"`;
    }
  }
  return TYPES[0];
}
