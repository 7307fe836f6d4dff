import { parentPort } from 'node:worker_threads';
import type { Digest, TrustMaterial } from '@packs/domain';
import { LRUCache } from 'lru-cache';
import { readTrustMaterial } from './trust-material';
import { runTask, type VerificationAnswer, type VerificationTask } from './verification-task';

/** A task, or the trust material that the worker has asked for to do the one it was given. */
export type WorkerQuestion = { readonly task: VerificationTask } | { readonly material: Uint8Array };

export type WorkerReply =
  | { readonly kind: 'answer'; readonly answer: VerificationAnswer }
  | { readonly kind: 'needs-trust' }
  | { readonly kind: 'broken'; readonly message: string };

/** Parsed once: with it its keys, roots and what was found out about their certificates. */
const trusted = new LRUCache<Digest, TrustMaterial>({ max: 64 });

/** Kept while its trust material is on the way: what a task holds may be large, and is copied from thread to thread once. */
let begun: VerificationTask | undefined;

function reply(question: WorkerQuestion): WorkerReply {
  try {
    const task = 'task' in question ? question.task : begun;
    begun = undefined;
    if (!task) throw new Error('there is no task that the trust material is for');
    const known = 'material' in question ? readTrustMaterial(question.material) : trusted.get(task.trust);
    if (!known) {
      begun = task;
      return { kind: 'needs-trust' };
    }
    trusted.set(task.trust, known);
    return { kind: 'answer', answer: runTask(task, known) };
  } catch (error) {
    return { kind: 'broken', message: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on('message', (question: WorkerQuestion) => parentPort?.postMessage(reply(question)));
