package io.github.cellfuse.implementations;

class PoclTest extends ImplementationContract {
    PoclTest() {
        super(Implementation.POCL);
    }
}
