package io.github.cellfuse.implementations;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;

/**
 * Tests that run on each {@link Implementation} as well as on the devices of the machine. A simulator runs them too, so
 * they keep to a few rows, units and steps; and they take their devices from {@link io.github.cellfuse.cl.TestDevices}.
 */
@Tag(EveryImplementation.TAG)
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
public @interface EveryImplementation {
    /** What finds them. */
    String TAG = "every-implementation";

    /**
     * Of these, the tests whose buffers are each filled by one write. Oclgrind 21.10 takes a second write for a new
     * buffer and the rest for uninitialised, so only they can be checked for reads of what nobody wrote.
     */
    String WHOLE_BUFFERS = "whole-buffers";

    /** Tests that use a device from several threads at once, for all but Oclgrind, which ends the process then. */
    String SEVERAL_THREADS = "several-threads";
}
