import { timingSafeEqual } from 'node:crypto';
import type { TrustMaterial } from '@sigstore/verify';
import { decodeBase64 } from './canonical-base64';
import { invalid } from './signature-fault';

export type LogAuthority = TrustMaterial['tlogs'][number];

export interface ClaimedTree {
  readonly rootHash: Buffer;
  readonly treeSize: string;
}

const MAX_LENGTH = 16 * 1024;
const MAX_LINES = 32;
const SIZE = /^(0|[1-9][0-9]{0,15})$/;
const HINT_BYTES = 4;
const MIN_SIGNATURE_BYTES = HINT_BYTES + 1;

/**
 * The checkpoint with its log's own signature as the only one. The names in it come from whoever made the bundle: they are compared, and nothing else.
 * Lines of witnesses are held to their form and left out, since nobody here knows their keys (C2SP signed-note, "Verifying signatures").
 * @throws SignatureFault unless it is of the claimed tree and has one signature line of the log
 */
export function ownCheckpoint(envelope: string, claimed: ClaimedTree, log: LogAuthority): string {
  if (envelope.length > MAX_LENGTH) throw refused(`a checkpoint has at most ${MAX_LENGTH} characters`);
  const end = envelope.indexOf('\n\n');
  if (end < 0 || !envelope.endsWith('\n')) throw refused('the checkpoint is not a signed note');
  requireTree(envelope.slice(0, end).split('\n'), claimed, log);
  const lines = envelope.slice(end + 2, -1).split('\n');
  if (lines[0] === '') throw refused('the checkpoint has no signature');
  if (lines.length > MAX_LINES) throw refused(`a checkpoint has at most ${MAX_LINES} signatures`);
  const own = lines.filter(line => isBy(log, line));
  if (own.length !== 1) throw refused('the checkpoint has not exactly one signature by its log');
  return `${envelope.slice(0, end)}\n\n${own[0] ?? ''}\n`;
}

function requireTree([origin = '', size = '', root = '']: readonly string[], { rootHash, treeSize }: ClaimedTree, log: LogAuthority): void {
  const name = nameOf(log);
  if (origin !== name && !origin.startsWith(`${name} - `)) throw refused('the checkpoint is of another log');
  const hash = decodeBase64(root);
  if (!hash || hash.length !== rootHash.length || !timingSafeEqual(hash, rootHash)) {
    throw refused('the root in the checkpoint is not that of the proof');
  }
  if (!SIZE.test(size) || size !== treeSize) throw refused('the size in the checkpoint is not that of the proof');
}

/** `— <name> <base64 of key hint and signature>` (C2SP signed-note). */
function isBy(log: LogAuthority, line: string): boolean {
  const [dash, name, encoded, ...more] = line.split(' ');
  const bytes = dash === '\u2014' && name && encoded && more.length === 0 ? decodeBase64(encoded) : undefined;
  if (!bytes || bytes.length < MIN_SIGNATURE_BYTES) throw refused('a signature line of the checkpoint is not well formed');
  return name === nameOf(log) && bytes.subarray(0, HINT_BYTES).equals(log.logID.subarray(0, HINT_BYTES));
}

/** A log signs under its address without the scheme. */
function nameOf({ baseURL }: LogAuthority): string {
  return baseURL.replace(/^https?:\/\//, '').replace(/\/$/, '');
}

function refused(message: string) {
  return invalid(message, 'checkpoint-invalid');
}
