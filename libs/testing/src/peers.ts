import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setting } from '@packs/config';

/** A client or server of others that `npm run peers` installs. */
export interface Peer {
  readonly path: string;
  /** Whether a spec that needs it should run: it is there, or this run promises its peers and fails without them. */
  readonly isWanted: boolean;
  /** Behind the name of a spec that needs it. */
  readonly note: string;
}

export function peer(name: string): Peer {
  const path = join(setting('PEERS_DIR') ?? join(homedir(), '.cache', 'packs-peers'), name);
  const isWanted = existsSync(path) || setting('REQUIRE_PEERS') === '1';
  return { path, isWanted, note: isWanted ? '' : ` (skipped: no ${name} in PEERS_DIR or ~/.cache/packs-peers)` };
}
