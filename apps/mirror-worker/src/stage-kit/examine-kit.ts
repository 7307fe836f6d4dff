import type { ImportReport, KitManifest } from '@packs/contracts';
import type { Digest } from '@packs/domain';
import type { KitRecords } from '@packs/ports';
import type { KitExporter } from '@packs/sigstore';

/** Conflicting versions that a report names. */
const NAMED_MAX = 100;
const PAGE = 1000;

/** What importing a kit would mean here and now. */
export async function examineKit(
  records: KitRecords,
  tenant: string,
  { manifest, kit, exporter }: { readonly manifest: KitManifest; readonly kit: Digest; readonly exporter: KitExporter },
): Promise<ImportReport> {
  const { schema: format, generation, source, selection, versions } = manifest;
  const conflicting: { packId: string; version: string }[] = [];
  let known = 0;
  for (let at = 0; at < versions.length; at += PAGE) {
    const page = versions.slice(at, at + PAGE);
    for (const found of await records.published(tenant, page)) {
      const same = page.some(
        one => one.packId === found.packId && one.version === found.version && one.manifest.digest === found.manifestDigest,
      );
      if (same) known += 1;
      else conflicting.push({ packId: found.packId, version: found.version });
    }
  }
  const { newest, isImported } = await records.imported(tenant, source.log, kit);
  const stale = newest !== null && generation < newest;
  return {
    format,
    generation,
    source: { tenant: source.tenant, log: source.log },
    exporter,
    selection,
    versions: { total: versions.length, new: versions.length - known - conflicting.length, known, conflicting: conflicting.length },
    conflicting: conflicting.slice(0, NAMED_MAX),
    outcome: stale ? 'stale' : isImported ? 'unchanged' : conflicting.length > 0 ? 'conflict' : 'import',
    newestImported: newest,
  };
}
