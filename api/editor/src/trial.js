export class Trial {
  constructor() {}
}
