import { parentPort } from 'node:worker_threads';
import type { ScanEngine, ScanFinding } from '@packs/domain';
import { findSecrets, SECRET_ENGINE, type TextWindow } from './find-secrets';

export interface SecretQuestion {
  readonly windows: readonly TextWindow[];
}

export interface FoundSecrets {
  readonly engine: ScanEngine;
  readonly found: readonly ScanFinding[];
}

export type SecretReply = FoundSecrets | { readonly broken: string };

async function reply({ windows }: SecretQuestion): Promise<SecretReply> {
  try {
    return { engine: SECRET_ENGINE, found: await findSecrets(windows) };
  } catch (error) {
    return { broken: error instanceof Error ? error.name : 'unknown' };
  }
}

parentPort?.on('message', (question: SecretQuestion) => void reply(question).then(answer => parentPort?.postMessage(answer)));
