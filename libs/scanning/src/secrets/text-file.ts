import { TextDecoder } from 'node:util';
import type { TextWindow } from './find-secrets';

/** Rules look at so much at a time: what they match is far shorter than the overlap. */
export const WINDOW_BYTES = 256 * 1024;
const OVERLAP_BYTES = 16 * 1024;
/** A NUL within so many bytes makes a file binary, as it does for git. */
const PROBE_BYTES = 8000;

const NEWLINE = 10;

/** Cuts one file into windows as it passes, when it is text: UTF-8 or its like, or UTF-16 with a mark at its start. */
export class TextFile {
  private start: Buffer = Buffer.alloc(0);
  private held: Buffer[] = [];
  private size = 0;
  private line = 1;
  private seen = 0;
  private form: 'unknown' | 'bytes' | 'binary' | TextDecoder = 'unknown';

  constructor(
    private readonly path: string,
    private readonly give: (window: TextWindow) => Promise<void> | void,
  ) {}

  async write(next: Buffer): Promise<void> {
    const piece = this.form === 'unknown' ? Buffer.concat([this.start, next]) : next;
    if (this.form === 'unknown') {
      this.start = piece;
      if (piece.length < 2) return;
      this.form = formOf(piece);
    } else if (this.form === 'bytes' && this.seen < PROBE_BYTES && piece.subarray(0, PROBE_BYTES - this.seen).includes(0)) {
      this.form = 'binary';
    }
    this.seen += piece.length;
    if (this.form === 'binary') return this.drop();
    for (let at = 0; at < piece.length; at += WINDOW_BYTES) await this.add(piece.subarray(at, at + WINDOW_BYTES));
  }

  async end(): Promise<void> {
    if (this.size > 0) await this.cut(0);
  }

  private async add(piece: Buffer): Promise<void> {
    const text = typeof this.form === 'object' ? Buffer.from(this.form.decode(piece, { stream: true })) : Buffer.from(piece);
    this.held.push(text);
    this.size += text.length;
    if (this.size >= WINDOW_BYTES) await this.cut(OVERLAP_BYTES);
  }

  /** Gives out what is held, and keeps its end for the next window. */
  private async cut(keep: number): Promise<void> {
    const bytes = Buffer.concat(this.held);
    const { line } = this;
    const kept = bytes.subarray(bytes.length - keep);
    for (const byte of bytes.subarray(0, bytes.length - keep)) if (byte === NEWLINE) this.line += 1;
    this.held = keep > 0 ? [kept] : [];
    this.size = keep;
    await this.give({ path: this.path, line, bytes });
  }

  private drop(): void {
    this.held = [];
    this.size = 0;
  }
}

function formOf(piece: Buffer): 'bytes' | 'binary' | TextDecoder {
  const mark = piece.length >= 2 ? piece.readUInt16BE(0) : 0;
  if (mark === 0xfffe) return new TextDecoder('utf-16le');
  if (mark === 0xfeff) return new TextDecoder('utf-16be');
  return piece.subarray(0, PROBE_BYTES).includes(0) ? 'binary' : 'bytes';
}
