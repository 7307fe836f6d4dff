import { DomainError } from '@packs/domain';
import type { Clock } from '@packs/ports';

const WINDOW_MS = 60_000;
const OF_AN_ADDRESS = 30;
/** From all addresses together. */
const OF_A_CLIENT = 100;
const KNOWN_MS = 24 * 60 * 60_000;
const REMEMBERED = 10_000;

/**
 * Slows down those who guess secrets: by their address, and by the client they guess at, whatever addresses they have. Nobody can keep a
 * client out of where it comes from: an address from which its secret came within a day goes on. Of this replica alone: the Authority
 * guards its clients itself.
 */
export class FailedAttempts {
  private readonly addresses: Failures;
  private readonly clients: Failures;
  /** When a client's secret came from an address last. */
  private readonly known = new Map<string, number>();

  constructor(private readonly clock: Clock) {
    this.addresses = new Failures(clock, OF_AN_ADDRESS);
    this.clients = new Failures(clock, OF_A_CLIENT);
  }

  /** What is not admitted is no failure: it makes nobody wait longer. @throws DomainError ERR_PACK_LIMIT */
  admit(address: string, clientId: string): void {
    if (this.addresses.areTooMany(address)) throw tooMany('from this address');
    if (this.clients.areTooMany(clientId) && !this.isKnown(address, clientId)) throw tooMany('for this client');
  }

  failed(address: string, clientId: string): void {
    this.addresses.add(address);
    this.clients.add(clientId);
  }

  succeeded(address: string, clientId: string): void {
    putLast(this.known, pair(address, clientId), this.clock.now().getTime());
  }

  private isKnown(address: string, clientId: string): boolean {
    const at = this.known.get(pair(address, clientId));
    return at !== undefined && this.clock.now().getTime() - at < KNOWN_MS;
  }
}

interface Window {
  readonly startedAt: number;
  readonly failures: number;
}

class Failures {
  private readonly windows = new Map<string, Window>();

  constructor(
    private readonly clock: Clock,
    private readonly most: number,
  ) {}

  areTooMany(of: string): boolean {
    return (this.current(of)?.failures ?? 0) >= this.most;
  }

  add(of: string): void {
    const { startedAt, failures } = this.current(of) ?? { startedAt: this.clock.now().getTime(), failures: 0 };
    putLast(this.windows, of, { startedAt, failures: failures + 1 });
  }

  private current(of: string): Window | undefined {
    const window = this.windows.get(of);
    return window && this.clock.now().getTime() - window.startedAt < WINDOW_MS ? window : undefined;
  }
}

/** At the end of the order in which entries make room. */
function putLast<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= REMEMBERED) return;
  for (const oldest of map.keys()) return void map.delete(oldest);
}

/** An address has no space. */
function pair(address: string, clientId: string): string {
  return `${address} ${clientId}`;
}

function tooMany(where: string): DomainError {
  return new DomainError('ERR_PACK_LIMIT', `too many refused credentials ${where}: try again in a minute`, { retry: 'later' });
}
