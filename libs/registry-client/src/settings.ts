import { setTimeout as delay } from 'node:timers/promises';

/** One registry that may be connected to. Whoever is not among them is not. */
export interface AllowedRegistry {
  /** Name and, where it has one, port. */
  readonly host: string;
  readonly protocol: 'https:' | 'http:';
  /** Its name may lead to a loopback or private address. */
  readonly allowsPrivate: boolean;
}

export interface RegistryCredential {
  readonly username: string;
  readonly password: string;
}

/** Who we are at a registry; undefined: nobody. */
export type CredentialsOf = (host: string) => Promise<RegistryCredential | undefined>;

export interface ClientSettings {
  readonly registries: readonly AllowedRegistry[];
  readonly credentialsOf: CredentialsOf;
  /** How often a request is sent, the first time included. */
  readonly attempts: number;
  /** The pause before the second; each further one is twice as long. */
  readonly firstPauseMs: number;
  /** The longest pause, also when a registry asks for a longer one. */
  readonly longestPauseMs: number;
  /** A connection on which nothing moves for so long is given up. */
  readonly idleMs: number;
  /** Connections to one registry at a time. */
  readonly connections: number;
  /** Bytes of an upload held in memory: a smaller blob is sent in one request, a larger one in pieces of this size. */
  readonly pieceBytes: number;
  /** Milliseconds since some moment. */
  readonly now: () => number;
  readonly pause: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export const DEFAULTS = {
  attempts: 5,
  firstPauseMs: 250,
  longestPauseMs: 30_000,
  idleMs: 60_000,
  connections: 8,
  pieceBytes: 8 * 1024 * 1024,
  now: () => performance.now(),
  pause: async (ms: number, signal?: AbortSignal) => {
    await delay(ms, undefined, { signal });
  },
} as const satisfies Partial<ClientSettings>;
