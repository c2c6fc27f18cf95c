"""Does not end when asked to."""
import signal

for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
print("holding", flush=True)
while True:
    signal.pause()
