import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { RegistryApi } from './registry-api';
import { readSamples, type Sample } from './samples';
import type { Stack } from './stack';
import { StellaCommand } from './stella-command';
import { StepError } from './step-error';
import { Steps } from './steps';

const KEY_NAME = 'dev-signing';

/**
 * The product in front of one's eyes: makes a key, trusts it, and sends each sample pack through the command line exactly as a user would;
 * then fetches it again, compares the digests and finds the event in the audit log. What an earlier start did is not done again.
 */
export async function showSamples(
  stack: Stack,
  signal: AbortSignal,
  steps = new Steps(text => process.stdout.write(text)),
): Promise<boolean> {
  if (!stack.ownAuthority) {
    steps.say('\nNo sample is published: tokens come from an Authority that is not this stack.');
    return false;
  }
  steps.say('\nSample packs');
  const admin = await RegistryApi.login(stack, 'acme-admin');
  const stella = new StellaCommand(stack, 'acme-publisher', text => steps.say(text));
  const missing: Sample[] = [];
  for (const sample of readSamples()) {
    if (await admin.has(sample.packId, sample.version)) steps.say(`  ${sample.packId} ${sample.version} is published already`);
    else missing.push(sample);
  }
  const key = await steps.run('signing key', () => ensureKey(stack, stella));
  await steps.run('trust and policy', note => ensureTrust(admin, key.publicKey, note));
  if (missing.length === 0) return true;
  await stella.login();
  for (const sample of missing) {
    signal.throwIfAborted();
    await steps.run(sample.packId, note => publish(sample, { stack, admin, stella, keyFile: key.file, note }));
  }
  return true;
}

/** The public half of the key the samples are signed with. */
export function publicKeyFile(stack: Stack): string {
  return join(stack.dataDir, 'keys', `${KEY_NAME}.pub.pem`);
}

async function ensureKey(stack: Stack, stella: StellaCommand): Promise<{ file: string; publicKey: string }> {
  const folder = join(stack.dataDir, 'keys');
  const file = join(folder, `${KEY_NAME}.key.pem`);
  if (!existsSync(file)) await stella.run('key', 'generate', '--name', KEY_NAME, '--out', folder);
  if ((statSync(file).mode & 0o077) !== 0) throw new StepError(`${file} can be read by others.`, `chmod 600 ${file}`);
  return { file, publicKey: readFileSync(publicKeyFile(stack), 'utf8') };
}

/** Adds the key and the policy where they are missing: what the user changed stays. */
async function ensureTrust(admin: RegistryApi, publicKey: string, note: (text: string) => void): Promise<void> {
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

interface Publication {
  readonly stack: Stack;
  readonly admin: RegistryApi;
  readonly stella: StellaCommand;
  readonly keyFile: string;
  readonly note: (text: string) => void;
}

async function publish({ folder, packId, version }: Sample, { stack, admin, stella, keyFile, note }: Publication): Promise<void> {
  const built = join(stack.dataDir, 'samples');
  mkdirSync(built, { recursive: true });
  const bundle = join(built, `${packId}-${version}.tgz`);
  await stella.run('pack', 'build', folder, '-o', bundle);
  await stella.run('pack', 'sign', bundle, '--key', keyFile);
  await stella.run('pack', 'push', bundle);

  const sent = await sha256Of(bundle);
  const fetched = await admin.bundleDigest(packId, version);
  if (fetched !== sent)
    throw new StepError(`${packId} ${version} came back as ${fetched}; ${sent} was sent.`, 'Read the log of publisher.');
  note(`${version} published, fetched again with the same digest ${sent.slice(0, 19)}...`);
  const seq = await admin.awaitPublishedEvent(packId, version);
  note(`audit entry ${seq}`);
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return `sha256:${hash.digest('hex')}`;
}
