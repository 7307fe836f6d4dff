import { PROCESSES, type ProcessName } from '@packs/contracts';
import { builtFile } from './repository-root';

/** The process an app's file belongs to; a library's file concerns all. */
export function affectedBy(path: string): readonly ProcessName[] {
  const app = PROCESSES.find(name => path.startsWith(builtFile('apps', name, '/')));
  return app ? [app] : path.startsWith(builtFile('libs', '/')) ? PROCESSES : [];
}
