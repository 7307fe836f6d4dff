/** What the owner of a namespace decided for everybody who pulls from it. */
export interface NamespacePolicy {
  /** Callers without credentials may pull releases that are visible to every tenant, and all generic repositories. */
  readonly publicRead: boolean;
  /** Those who may not push get no manifest by a tag. */
  readonly pullByDigestOnly: boolean;
}

/** Within a transaction of the namespace's tenant. */
export abstract class NamespacePolicyStore {
  abstract policy(tenant: string): Promise<NamespacePolicy>;
  abstract put(tenant: string, policy: NamespacePolicy, note: { readonly at: string; readonly actor: string }): Promise<void>;
}

/** The gateway's side: of any namespace, the caller's own or not. */
export abstract class NamespacePolicies {
  /** Of a namespace that is not there: what one has that decided nothing. */
  abstract of(namespace: string): Promise<NamespacePolicy>;
  /** Those among `namespaces` that callers without credentials may pull from, in one look. */
  abstract publicAmong(namespaces: readonly string[]): Promise<ReadonlySet<string>>;
}
