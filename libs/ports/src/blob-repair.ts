import { ReplaceBlob } from '@packs/contracts';
import type { StoredBlob } from './blob-store';
import type { CommandBus } from './command-bus';
import { ContentCatalog } from './content-catalog';
import { GenericContent, type GenericOutcome, type GenericPush } from './generic-content';
import { isQuarantined } from './quarantine';

/**
 * Bytes that were just proven take the place of damaged ones under the same digest.
 * @param recorded what the catalog has for the digest of `written`
 * @returns the record that holds afterwards; undefined when another writer was faster and it has to be looked up again
 */
export async function repairBlob(commands: CommandBus, recorded: StoredBlob, written: StoredBlob): Promise<StoredBlob | undefined> {
  if (!isQuarantined(recorded)) return recorded;
  const { outcome } = await commands.send(ReplaceBlob, { blob: written });
  return outcome === 'replaced' ? written : undefined;
}

/** A catalog in which a new upload heals what lies in quarantine. */
export class RepairingCatalog extends ContentCatalog {
  constructor(
    private readonly beneath: ContentCatalog,
    private readonly commands: CommandBus,
  ) {
    super();
  }

  async record(blobs: readonly StoredBlob[]): Promise<StoredBlob[]> {
    const recorded = await this.beneath.record(blobs);
    if (!recorded.some(isQuarantined)) return recorded;
    for (const [at, blob] of blobs.entries()) await repairBlob(this.commands, recorded[at] ?? blob, blob);
    return this.beneath.record(blobs);
  }
}

/** Generic content whose manifests heal what lies in quarantine: a push goes on over whole bytes. */
export class RepairingGenericContent extends GenericContent {
  constructor(
    private readonly beneath: GenericContent,
    private readonly commands: CommandBus,
  ) {
    super();
  }

  async put(push: GenericPush): Promise<GenericOutcome> {
    const outcome = await this.beneath.put(push);
    if (!isQuarantined(outcome.recorded)) return outcome;
    await this.commands.send(ReplaceBlob, { blob: push.written });
    return this.beneath.put(push);
  }
}
