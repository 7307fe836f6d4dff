import type { PartName, Stack } from '../tools/stack/stack';

/** Where the specs find the host: jest gives every spec file a world of its own but the same environment. */
export const HOST_SOCKET = 'E2E_STACK_HOST';

export interface StartOrder {
  /** The stack of all specs that ask for the same name, one for each worker of jest; it is started for the first of them. */
  readonly shared?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A command that each process of the product is run through; `{name}` in it is the process. */
  readonly through?: readonly string[];
  /** Default: new and empty. */
  readonly dataDir?: string;
}

/** A running stack as it is told to specs. */
export type StackFacts = Pick<Stack, 'dataDir' | 'gatewayUrl' | 'authorityUrl' | 'databaseAdminUrl' | 'databaseUrls' | 'nats' | 'ports'> & {
  readonly id: string;
};

export interface PartOrder {
  readonly id: string;
  readonly part: PartName;
  readonly action: 'start' | 'stop' | 'kill' | 'pid' | 'logs';
  readonly signal?: NodeJS.Signals;
}
