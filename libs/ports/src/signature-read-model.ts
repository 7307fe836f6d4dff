import type { SignatureRotationView } from '@packs/contracts';
import type { Viewpoint } from './pack-read-model';

export abstract class SignatureReadModel {
  /** How a version came to the signatures that it has, the newest rotation first. Undefined: there is no such version, or none to be seen. */
  abstract history(at: Viewpoint, packId: string, version: string): Promise<SignatureRotationView[] | undefined>;
}
