import type { TransparencyLogEntry } from '@sigstore/bundle';
import type { SignedContent } from './signed-content';

/** What a signature document holds, however it is written: what was signed, who says to have signed it, and what speaks for that. */
export interface SignedDocument {
  readonly content: SignedContent;
  readonly signer: { readonly kind: 'key' } | { readonly kind: 'certificate'; readonly der: Buffer };
  readonly entries: readonly TransparencyLogEntry[];
  /** RFC 3161 responses in DER. */
  readonly timestamps: readonly Buffer[];
}

export function keyMade(content: SignedContent): SignedDocument {
  return { content, signer: { kind: 'key' }, entries: [], timestamps: [] };
}
