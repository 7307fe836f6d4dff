import type { JsonLimits } from './strict-json';

export const MAX_ATTESTATION_BYTES = 4 * 1024 * 1024;

/** Statements hold whole SBOMs, so they may be larger and deeper than signatures. */
export const ATTESTATION_LIMITS: JsonLimits = { maxBytes: MAX_ATTESTATION_BYTES, maxDepth: 64 };
