/** An answer; its body is kept only where it was asked for. */
export interface Reply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly length: number;
  readonly body: Buffer;
}

type State = 'head' | 'counted' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer' | 'done';

/** Reads one answer of HTTP/1.1 (RFC 9112 §6, §7.1) from pieces whose memory is used again after each `feed`. */
export class ReplyReader {
  private state: State = 'head';
  private text = '';
  private left = 0;
  private status = 0;
  private headers = new Map<string, string>();
  private length = 0;
  private readonly parts: Buffer[] = [];

  constructor(
    private readonly method: string,
    private readonly keepsBody: boolean,
  ) {}

  /** @returns the answer once it is whole */
  feed(piece: Buffer): Reply | undefined {
    let rest = piece;
    while (rest.length > 0 && this.state !== 'done') rest = this.step(rest);
    if (this.state !== 'done') return undefined;
    return { status: this.status, headers: this.headers, length: this.length, body: Buffer.concat(this.parts) };
  }

  private step(piece: Buffer): Buffer {
    if (this.state === 'counted' || this.state === 'chunk') return this.takeBody(piece);
    const end = this.state === 'head' ? this.headEnd(piece) : piece.indexOf(10) + 1;
    if (end <= 0) {
      this.text += piece.toString('latin1');
      return piece.subarray(piece.length);
    }
    const text = this.text + piece.toString('latin1', 0, end);
    this.text = '';
    if (this.state === 'head') this.readHead(text);
    else this.readLine(text.trim());
    return piece.subarray(end);
  }

  /** Where the head ends in `piece`, 0 when it does not. The empty line may have begun in the piece before. */
  private headEnd(piece: Buffer): number {
    const before = this.text.slice(-3);
    const at = before === '' ? piece.indexOf('\r\n\r\n') : (before + piece.toString('latin1')).indexOf('\r\n\r\n');
    return at < 0 ? 0 : at + 4 - before.length;
  }

  private readHead(text: string): void {
    const [first = '', ...lines] = text.trimEnd().split('\r\n');
    this.status = Number(first.slice(9, 12));
    this.headers = new Map(lines.map(line => headerIn(line)));
    if (this.status < 200) return;
    if (this.method === 'HEAD' || this.status === 204 || this.status === 304) this.state = 'done';
    else if (this.headers.get('transfer-encoding') === 'chunked') this.state = 'chunk-size';
    else this.count('counted', Number(this.headers.get('content-length') ?? 0));
  }

  private readLine(line: string): void {
    if (this.state === 'chunk-size') this.count('chunk', Number.parseInt(line, 16));
    else if (this.state === 'chunk-end') this.state = 'chunk-size';
    else if (line === '') this.state = 'done';
  }

  private count(state: 'counted' | 'chunk', length: number): void {
    this.left = length;
    this.state = length > 0 ? state : state === 'counted' ? 'done' : 'trailer';
  }

  private takeBody(piece: Buffer): Buffer {
    const part = piece.subarray(0, this.left);
    this.left -= part.length;
    this.length += part.length;
    if (this.keepsBody) this.parts.push(Buffer.from(part));
    if (this.left === 0) this.state = this.state === 'counted' ? 'done' : 'chunk-end';
    return piece.subarray(part.length);
  }
}

function headerIn(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}
