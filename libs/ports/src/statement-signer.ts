import type { Digest } from '@packs/domain';

/** What is said, and about what: an in-toto statement v1. */
export interface Statement {
  readonly subjects: readonly { readonly name: string; readonly digest: Digest }[];
  readonly predicateType: string;
  readonly predicate: Readonly<Record<string, unknown>>;
}

/** Signs in the name of this registry: by a key in a file, or by whatever keeps one. */
export abstract class StatementSigner {
  /** @throws DomainError ERR_KIT_NO_KEY when there is no key to sign with */
  abstract keyId(): Digest;
  /** @returns a sigstore bundle (JSON) with a DSSE envelope. @throws DomainError ERR_KIT_NO_KEY */
  abstract sign(statement: Statement): Promise<Buffer>;
}
