import type { VerifyBundleRequest } from '@packs/contracts';
import { DomainError, type Check, type FieldFault, type PackManifest } from '@packs/domain';
import { walkBundle } from '@packs/pack-format';
import type { BundleSource } from '../evaluation/bundle-source';
import { checkDigest } from '../evaluation/check-digest';
import type { CheckList } from '../evaluation/check-list';

const ORDER = ['digest', 'bundle', 'manifest', 'request'] as const;

export interface ContentFindings {
  /** Absent when it could not be read. */
  readonly manifest?: PackManifest;
  /** Every check of the content passed. */
  readonly sound: boolean;
}

/** The checks that come before any signature. The first that fails ends them. */
export async function checkContent(
  request: VerifyBundleRequest,
  source: BundleSource,
  list: CheckList,
  signal: AbortSignal,
): Promise<ContentFindings> {
  const findings = await firstFault(request, source, list, signal);
  if (findings.sound) return findings;
  for (const id of ORDER.slice(list.checks.length)) list.skip(id, 'not-reached');
  list.skipSignatures(request.signatures);
  return findings;
}

async function firstFault(
  request: VerifyBundleRequest,
  source: BundleSource,
  list: CheckList,
  signal: AbortSignal,
): Promise<ContentFindings> {
  if (!(await checkDigest(source, list))) return { sound: false };
  const manifest = await readManifest(request, source, list, signal);
  return manifest ? { manifest, sound: matchesRequest(manifest, request, list) } : { sound: false };
}

async function readManifest(
  { bundle }: VerifyBundleRequest,
  source: BundleSource,
  list: CheckList,
  signal: AbortSignal,
): Promise<PackManifest | undefined> {
  try {
    const { manifest } = await walkBundle(source.bytes(), { size: bundle.size, signal });
    list.pass('bundle');
    list.pass('manifest');
    return manifest;
  } catch (error) {
    const check = error instanceof DomainError ? checkOf(error) : undefined;
    if (!check) throw error;
    if (check === 'manifest') list.pass('bundle');
    list.failBy(check, error as DomainError);
    return undefined;
  }
}

/** Which check a refusal of the bundle belongs to; undefined when it says nothing about the bundle. */
function checkOf({ code }: DomainError): Check['id'] | undefined {
  if (code.startsWith('ERR_PACK_MANIFEST_')) return 'manifest';
  return code.startsWith('ERR_PACK_BUNDLE_') ? 'bundle' : undefined;
}

function matchesRequest({ metadata }: PackManifest, request: VerifyBundleRequest, list: CheckList): boolean {
  const errors = (['packId', 'version'] as const).flatMap((name): FieldFault[] =>
    request[name] === null || request[name] === metadata[name]
      ? []
      : [{ pointer: `/metadata/${name}`, message: `the bundle says ${metadata[name]}, the request says ${request[name]}` }],
  );
  if (errors.length === 0) list.pass('request');
  else list.failBy('request', new DomainError('ERR_PACK_MANIFEST_MISMATCH', 'pack.yaml does not say what the request says', { errors }));
  return errors.length === 0;
}
