package io.github.cellfuse.spi;

import java.lang.ref.Cleaner;
import java.lang.ref.WeakReference;

/**
 * Notices objects that the program drops. There is a thread for it only while objects are open: a thread for the life
 * of the class would stay behind with its class loader when a container reloads a program.
 */
final class Watches {
    private static Cleaner cleaner; // null while nothing is watched; guarded by the class

    /** The last cleaner. It may be used again until the garbage collector takes it, and then its thread ends. */
    private static WeakReference<Cleaner> last = new WeakReference<>(null);

    private static int watched;

    private Watches() {}

    /**
     * Returns a watch on {@code object}.
     *
     * @param dropped called once, when the watch is cleaned or the program has dropped the object; must not refer to it
     */
    static synchronized Cleaner.Cleanable watch(Object object, Runnable dropped) {
        if (cleaner == null) {
            cleaner = last.get();
        }
        if (cleaner == null) {
            cleaner = Cleaner.create();
            last = new WeakReference<>(cleaner);
        }
        watched++;
        return cleaner.register(object, () -> {
            ended();
            dropped.run();
        });
    }

    private static synchronized void ended() {
        watched--;
        if (watched == 0) {
            cleaner = null;
        }
    }
}
