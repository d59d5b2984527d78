/** A program in a named module. */
module example {
    requires io.github.cellfuse;
    // CellFuse's jar is an automatic module: it can't say that it needs these, which are modules with descriptors.
    requires com.google.gson; // reads .safetensors, and the configuration of Keras' models
    requires org.slf4j; // logs
    requires org.apache.commons.lang3; // jhdf, which reads Keras' .h5 files, needs it
}
