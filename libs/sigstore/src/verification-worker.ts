import { parentPort } from 'node:worker_threads';
import type { Digest, TrustMaterial } from '@packs/domain';
import { LRUCache } from 'lru-cache';
import { readTrustMaterial } from './trust-material';
import { runTask, type VerificationAnswer, type VerificationTask } from './verification-task';

export interface WorkerQuestion {
  readonly task: VerificationTask;
  /** The trust material that the task names, where the worker has asked for it. */
  readonly material?: Uint8Array;
}

export type WorkerReply =
  | { readonly kind: 'answer'; readonly answer: VerificationAnswer }
  | { readonly kind: 'needs-trust' }
  | { readonly kind: 'broken'; readonly message: string };

/** Parsed once: with it its keys, roots and what was found out about their certificates. */
const trusted = new LRUCache<Digest, TrustMaterial>({ max: 64 });

function reply({ task, material }: WorkerQuestion): WorkerReply {
  try {
    const known = trusted.get(task.trust) ?? (material && readTrustMaterial(material));
    if (!known) return { kind: 'needs-trust' };
    trusted.set(task.trust, known);
    return { kind: 'answer', answer: runTask(task, known) };
  } catch (error) {
    return { kind: 'broken', message: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on('message', (question: WorkerQuestion) => parentPort?.postMessage(reply(question)));
