import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { RegistryApi } from '../registry-api';
import type { Stack } from '../stack';
import type { StellaCommand } from '../stella-command';
import { StepError } from '../step-error';
import type { Note } from '../steps';
import { readSamples, type Sample } from './sample-packs';
import type { Show } from './show';

export const PUBLISHER = 'acme-publisher';

const KEY_NAME = 'dev-signing';

/** Makes a key, trusts it, and publishes each sample pack; then fetches it again, compares the digests and finds the event in the audit log. */
export async function showSamples({ stack, admin, steps, signal, as }: Show): Promise<void> {
  const missing: Sample[] = [];
  for (const sample of readSamples()) {
    if (await admin.has(sample.packId, sample.version)) steps.say(`  ${sample.packId} ${sample.version} is published already`);
    else missing.push(sample);
  }
  const publicKey = await steps.run('signing key', () => ensureKey(stack, () => as(PUBLISHER)));
  await steps.run('trust and policy', note => ensureTrust(admin, publicKey, note));
  if (missing.length === 0) return;
  const publisher = await as(PUBLISHER);
  for (const sample of missing) {
    signal.throwIfAborted();
    await steps.run(sample.packId, async note => {
      const bundle = await buildSigned(stack, publisher, sample);
      await publisher.run('pack', 'push', bundle);
      await proveFetched(admin, sample, { bundle, note });
    });
  }
}

/** The public half of the key the samples are signed with. */
export function publicKeyFile(stack: Stack): string {
  return join(stack.dataDir, 'keys', `${KEY_NAME}.pub.pem`);
}

/** The sample as a bundle, its signature beside it. */
export async function buildSigned(stack: Stack, stella: StellaCommand, { folder, packId, version }: Sample): Promise<string> {
  const built = join(stack.dataDir, 'samples');
  mkdirSync(built, { recursive: true });
  const bundle = join(built, `${packId}-${version}.tgz`);
  await stella.run('pack', 'build', folder, '-o', bundle);
  await stella.run('pack', 'sign', bundle, '--key', privateKeyFile(stack));
  return bundle;
}

export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return `sha256:${hash.digest('hex')}`;
}

function privateKeyFile(stack: Stack): string {
  return join(stack.dataDir, 'keys', `${KEY_NAME}.key.pem`);
}

async function ensureKey(stack: Stack, stella: () => Promise<StellaCommand>): Promise<string> {
  const file = privateKeyFile(stack);
  if (!existsSync(file)) await (await stella()).run('key', 'generate', '--name', KEY_NAME, '--out', join(stack.dataDir, 'keys'));
  if ((statSync(file).mode & 0o077) !== 0) throw new StepError(`${file} can be read by others.`, `chmod 600 ${file}`);
  return readFileSync(publicKeyFile(stack), 'utf8');
}

/** Adds the key and the policy where they are missing: what the user changed stays. */
async function ensureTrust(admin: RegistryApi, publicKey: string, note: Note): Promise<void> {
  const keys = await admin.trustedKeys();
  if (!keys.some(key => key.name === KEY_NAME && key.publicKey.trim() === publicKey.trim())) {
    await admin.trust([...keys.filter(key => key.name !== KEY_NAME), { name: KEY_NAME, publicKey }]);
    note(`key ${KEY_NAME} is trusted`);
  }
  if (!(await admin.policyNames()).includes('default')) {
    await admin.putPolicy('default', { rule: { keyRef: KEY_NAME }, unsigned: 'reject' });
    note(`policy default asks for ${KEY_NAME}`);
  }
}

async function proveFetched(
  admin: RegistryApi,
  { packId, version }: Sample,
  { bundle, note }: { readonly bundle: string; readonly note: Note },
): Promise<void> {
  const sent = await sha256Of(bundle);
  const fetched = await admin.bundleDigest(packId, version);
  if (fetched !== sent)
    throw new StepError(`${packId} ${version} came back as ${fetched}; ${sent} was sent.`, 'Read the log of publisher.');
  note(`${version} published, fetched again with the same digest ${sent.slice(0, 19)}...`);
  const seq = await admin.awaitPublishedEvent(packId, version);
  note(`audit entry ${seq}`);
}
