// lint as: apps/verifier/src/verify-bundle/publish-verified.ts
import { PublishPack } from '../../../publisher/src/publish-pack/publish-pack'; // expect: @nx/enforce-module-boundaries

export const publishVerified = PublishPack;
