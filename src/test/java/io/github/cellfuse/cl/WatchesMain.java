package io.github.cellfuse.cl;

/** Prints how many threads watch objects while one is open, and after it is closed. */
final class WatchesMain {
    private WatchesMain() {}

    public static void main(String[] args) throws InterruptedException {
        ClDevice device = OpenCl.devices().get(0);
        try (ClContext context = device.open();
                ClQueue queue = context.queue()) {
            queue.finish();
            System.out.println("open " + watchers());
        }
        for (int n = 0; n < 100; n++) {
            device.open().close(); // uses the same thread again
        }
        System.out.println("closed " + (watchers() <= 1 ? "at most 1" : watchers()));
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (watchers() > 0 && System.nanoTime() < deadline) {
            System.gc();
            Thread.sleep(20);
        }
        System.out.println("collected " + watchers());
    }

    private static long watchers() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("Cleaner-"))
                .count();
    }
}
