/** What the documents use of it. */
declare module '@nestjs/testing' {
  import type { ModuleMetadata, Type } from '@nestjs/common'

  interface TestingModule {
    get<T>(token: Type<T>): T
  }

  export const Test: {
    createTestingModule(metadata: ModuleMetadata): { compile(): Promise<TestingModule> }
  }
}
