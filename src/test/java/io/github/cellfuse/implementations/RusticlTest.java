package io.github.cellfuse.implementations;

class RusticlTest extends ImplementationContract {
    RusticlTest() {
        super(Implementation.RUSTICL);
    }
}
