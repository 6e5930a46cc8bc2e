import sys
from reports.code import Terminal

if sys.version_info[:2] < (3, 11):
    from exceptiongroup import BaseExceptionGroup

if TYPE_CHECKING:
    from reports.terminal import Reporter


run(Terminal)
