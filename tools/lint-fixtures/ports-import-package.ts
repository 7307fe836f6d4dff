// lint as: libs/ports/src/typed-store.ts
import { Type } from '@sinclair/typebox'; // expect: @nx/enforce-module-boundaries

export const typedStore = Type;
