/** What the clients of a turn do. */
export type LoadKind =
  | 'push'
  | 'push-chunked'
  | 'pull'
  | 'get-by-tag'
  | 'get-by-digest'
  | 'head-manifest'
  | 'head-blob'
  | 'head-missing'
  | 'put-manifest'
  | 'list-tags'
  | 'list-referrers'
  | 'grow'
  | 'mixed'
  | 'foreign-or-absent';

/** A registry as its clients reach it. */
export interface Target {
  readonly url: string;
  readonly authorization: string | undefined;
  /** The value of `Authorization` of another tenant; absent where there are no tenants. */
  readonly foreignAuthorization?: string;
  /** What names of repositories begin with. */
  readonly prefix: string;
}

export interface Load {
  readonly kind: LoadKind;
  readonly clients: number;
  readonly operations: number;
  /** Of the blobs that are moved. */
  readonly bytes?: number;
  /** Of the repository that is worked on: its tags, or the referrers of its one subject. */
  readonly entries?: number;
}

/** Ends a turn early: a slow side is measured by fewer operations. */
export const TURN_MS = 5_000;

export interface LoadResult {
  /** Of each operation, in milliseconds. */
  readonly times: readonly number[];
  readonly seconds: number;
  readonly bytes: number;
  readonly clientCpuSeconds: number;
  /** Of small reads of another client at the same time, in milliseconds. */
  readonly bystanderTimes: readonly number[];
  /** Of operations on what is not there, where `times` are of what is another tenant's. */
  readonly absentTimes?: readonly number[];
}

export type LoadOrder = { readonly prepare: Load; readonly target: Target } | 'go';
export type LoadReport =
  /** False: the registry does not serve this. */
  { readonly prepared: boolean } | { readonly result: LoadResult } | { readonly failed: string };
