import { Type } from '@sinclair/typebox';
import type { Digest, SigningPolicy, Verdict } from '@packs/domain';
import { closed, nullable } from '../contract-types';
import { VerifyAttestation, type VerifyAttestationRequest } from './attestation-commands';
import type { CommandContract } from './command-contract';
import { ReverifyVersion, VerifyBundle, type ReverifyVersionRequest, type VerifyBundleRequest } from './verify-bundle';

/** The requests that are answered with a verdict. */
export interface JudgingRequests {
  readonly 'verify-bundle': VerifyBundleRequest;
  readonly 'reverify-version': ReverifyVersionRequest;
  readonly 'verify-attestation': VerifyAttestationRequest;
}
export type JudgingCommand = keyof JudgingRequests;

export const JUDGING_COMMANDS: Readonly<Record<JudgingCommand, CommandContract>> = {
  'verify-bundle': VerifyBundle,
  'reverify-version': ReverifyVersion,
  'verify-attestation': VerifyAttestation,
};

/**
 * What a verdict was asked, as it is kept beside it: with the verdict, the policies and the blobs it names, the very request can be made again.
 * Policies are kept by name and version, blobs by digest alone: where they lie may change.
 */
export interface VerdictQuestion {
  readonly command: JudgingCommand;
  /** The version it is about, as far as anybody knew. */
  readonly packId: string | null;
  readonly version: string | null;
  readonly policies: readonly (readonly [name: string, version: number])[];
  /** Everything else of the request but its tenant and what the verdict itself says: trust and time. */
  readonly request: Readonly<Record<string, unknown>>;
}

/** As it is read back. */
export const VerdictQuestionSchema = Type.Unsafe<VerdictQuestion>(
  closed({
    command: Type.Unsafe<JudgingCommand>({ type: 'string', enum: Object.keys(JUDGING_COMMANDS) }),
    packId: nullable(Type.String()),
    version: nullable(Type.String()),
    policies: Type.Array(Type.Unsafe<readonly [string, number]>({ type: 'array', minItems: 2, maxItems: 2 })),
    request: Type.Object({}),
  }),
);

interface Asked {
  readonly tenant: string;
  readonly policies: readonly SigningPolicy[];
  readonly trust: unknown;
  readonly evaluatedAt: string;
}

export function questionOf<C extends JudgingCommand>(
  command: C,
  request: JudgingRequests[C] & Asked,
  about: { readonly packId: string | null; readonly version: string | null },
): VerdictQuestion {
  const { tenant: _, policies, trust: _trust, evaluatedAt: _at, ...rest } = request;
  return {
    command,
    packId: about.packId,
    version: about.version,
    policies: policies.map(({ name, version }) => [name, version] as const),
    request: withoutPlaces(rest) as VerdictQuestion['request'],
  };
}

/** Where a blob lies today. */
export interface FoundBlob {
  readonly digest: Digest;
  readonly size: number;
  readonly objectKey: string;
}

/** What a question leans on, as storage has it today. */
export interface QuestionParts {
  readonly tenant: string;
  readonly policies: readonly SigningPolicy[];
  readonly blobs: ReadonlyMap<Digest, FoundBlob>;
  /** Null where the tenant had no trust material. */
  readonly material: FoundBlob | null;
}

/** Digests of all blobs that a question names. */
export function blobsOfQuestion(question: VerdictQuestion): Digest[] {
  const found = new Set<Digest>();
  visit(question.request, digest => found.add(digest));
  return [...found];
}

/** The request that a verdict was the answer to, to be checked by its command's schema. */
export function requestOf({ request }: VerdictQuestion, { trust, evaluatedAt }: Verdict, parts: QuestionParts): object {
  const { tenant, policies, blobs, material } = parts;
  return { ...(withPlaces(request, blobs) as object), tenant, policies, trust: { ...trust, material }, evaluatedAt };
}

/** A reference to a blob without its place: `{ blob: digest }` with whatever else stood beside it. */
function withoutPlaces(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPlaces);
  if (typeof value !== 'object' || value === null) return value;
  if (isPlaced(value)) {
    const { digest, size: _size, objectKey: _key, ...rest } = value;
    return { blob: digest, ...rest };
  }
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withoutPlaces(member)]));
}

function isPlaced(value: object): value is FoundBlob {
  return 'digest' in value && 'size' in value && 'objectKey' in value;
}

function withPlaces(value: unknown, blobs: ReadonlyMap<Digest, FoundBlob>): unknown {
  if (Array.isArray(value)) return value.map(one => withPlaces(one, blobs));
  if (typeof value !== 'object' || value === null) return value;
  if (isNamed(value)) {
    const { blob, ...rest } = value;
    return { ...rest, ...blobs.get(blob) };
  }
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withPlaces(member, blobs)]));
}

function isNamed(value: object): value is { readonly blob: Digest } {
  return 'blob' in value && typeof value.blob === 'string';
}

function visit(value: unknown, found: (digest: Digest) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (isNamed(value)) found(value.blob);
  else for (const member of Object.values(value)) visit(member, found);
}
