import type { ProvenanceReport, StatedView } from '@packs/contracts';
import { readWhole, type BlobStore, type ServableAttestation, type Viewpoint } from '@packs/ports';
import { MAX_ATTESTATION_BYTES, readPredicate, type ReadPredicate } from '@packs/sigstore';
import { LRUCache } from 'lru-cache';
import type { ServableAttestations } from '../../serving/servable-attestations';

/** Readings kept; each is some kilobytes at the most. */
const KEPT = 1_000;

/** Reads where a version comes from out of what is attested about it: verified statements alone. */
export class GetProvenance {
  /** By the document's digest: what it says never changes, whether it counts is asked anew each time. */
  private readonly readings = new LRUCache<string, ReadPredicate>({ max: KEPT });

  constructor(
    private readonly attestations: ServableAttestations,
    private readonly blobs: BlobStore,
  ) {}

  /** @throws DomainError as `ServableVersions.find` does */
  async execute(at: Viewpoint, packId: string, version: string): Promise<ProvenanceReport> {
    const found = await this.attestations.verified(at, packId, version);
    const { tenant, digest, manifestDigest } = found.version.view;
    const report: ProvenanceReport = {
      ...{ packId, tenant, version, digest, manifestDigest },
      ...{ builds: [], sboms: [], tests: [], others: [] },
    };
    // One after the other: a version may have many documents, each of some megabytes.
    for (const attestation of found.verified) add(report, statedBy(attestation), await this.read(attestation));
    return report;
  }

  private async read({ document, view: { mediaType } }: ServableAttestation): Promise<ReadPredicate> {
    const key = `${mediaType} ${document.digest}`;
    const known = this.readings.get(key);
    if (known) return known;
    const reading = readPredicate(mediaType, await readWhole(this.blobs, document, MAX_ATTESTATION_BYTES));
    this.readings.set(key, reading);
    return reading;
  }
}

function statedBy({ view: { digest, predicateType, signers } }: ServableAttestation): StatedView {
  return { attestation: digest, predicateType, signers };
}

function add(report: ProvenanceReport, stated: StatedView, read: ReadPredicate): void {
  switch (read.kind) {
    case 'build': {
      const { materials, leftOut, ...build } = read.build;
      const shown = materials.map(({ digests, ...material }) => ({ ...material, digests: { ...digests } }));
      report.builds.push({ ...stated, ...build, materials: shown, leftOut: [...leftOut] });
      return;
    }
    case 'sbom':
      report.sboms.push({ ...stated, ...read.sbom, leftOut: [...read.sbom.leftOut] });
      return;
    case 'test':
      report.tests.push({ ...stated, ...read.test, leftOut: [...read.test.leftOut] });
      return;
    case 'other':
      report.others.push(stated);
  }
}
