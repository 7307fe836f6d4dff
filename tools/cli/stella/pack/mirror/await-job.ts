import { setTimeout as delay } from 'node:timers/promises';
import type { ExportView, ImportView } from '@packs/contracts';
import type { RegistryClient } from '../../../client/registry-client';
import { RegistryProblem } from '../../../client/registry-problem';
import type { CliContext } from '../../../terminal/cli-context';
import { Progress } from '../../../terminal/progress';

const POLL_MS = 300;
const REFUSED = 422;

interface Watched {
  readonly label: string;
  readonly progress?: boolean;
}

/** Follows a job to its end. @throws RegistryProblem with the reason when it failed */
export async function awaitJob<View extends ExportView | ImportView>(
  context: CliContext,
  registry: RegistryClient,
  route: string,
  { label, progress: wanted }: Watched,
): Promise<View> {
  let shown: { readonly progress: Progress; done: number } | undefined;
  for (;;) {
    const view = await registry.get<View>(route);
    const { bytes, totalBytes } = view.progress;
    if (totalBytes > 0) {
      shown ??= { progress: Progress.of(context, label, { total: totalBytes, wanted }), done: 0 };
      shown.progress.add(bytes - shown.done);
      shown.done = bytes;
    }
    if (view.state === 'succeeded') return view;
    if (view.state === 'failed') throw problemOf(view);
    await delay(POLL_MS);
  }
}

function problemOf({ error }: ExportView | ImportView): RegistryProblem {
  return new RegistryProblem(
    REFUSED,
    error?.code ?? 'ERR_PACK_INTERNAL',
    error?.message ?? 'it failed',
    (error?.errors ?? []) as RegistryProblem['faults'],
  );
}
