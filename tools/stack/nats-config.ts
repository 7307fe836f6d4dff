import type { NatsPermissions } from '@packs/contracts';

/** The largest message is 64 KiB, checked at the sender; the server leaves room for headers. */
const MAX_PAYLOAD = 131_072;

export interface NatsUser {
  readonly name: string;
  readonly password: string;
  /** Absent: may do everything. */
  readonly permissions?: NatsPermissions;
}

/** nats-server's configuration, in the syntax of 2.9: every string quoted as JSON, which that syntax understands. */
export function natsConfig(options: { port: number; storeDir: string; pidFile: string; users: readonly NatsUser[] }): string {
  const { port, storeDir, pidFile, users } = options;
  return [
    'server_name: "packs-registry-local"',
    `listen: ${quote(`127.0.0.1:${port}`)}`,
    `max_payload: ${MAX_PAYLOAD}`,
    `pid_file: ${quote(pidFile)}`,
    `jetstream { store_dir: ${quote(storeDir)} }`,
    'authorization {',
    '  users: [',
    ...users.map(user => `    ${userEntry(user)}`),
    '  ]',
    '}',
    '',
  ].join('\n');
}

function userEntry({ name, password, permissions }: NatsUser): string {
  const parts = [`user: ${quote(name)}`, `password: ${quote(password)}`];
  if (permissions) parts.push(`permissions: { publish: ${rule(permissions.publish)}, subscribe: ${rule(permissions.subscribe)} }`);
  return `{ ${parts.join(', ')} }`;
}

/** An empty allow list would allow everything: it is written as a denial of everything. */
function rule(subjects: readonly string[]): string {
  return subjects.length === 0 ? '{ deny: [">"] }' : `{ allow: [${subjects.map(quote).join(', ')}] }`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
