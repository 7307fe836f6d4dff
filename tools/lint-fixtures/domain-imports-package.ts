// lint as: libs/domain/src/injected-digest.ts
import { Injectable } from '@nestjs/common'; // expect: @nx/enforce-module-boundaries

export const injected = Injectable;
